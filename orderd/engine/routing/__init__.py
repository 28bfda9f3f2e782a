"""Which pools an order goes through: what they offer, which of them count, and the best use of them."""
