"""The pure core: what an order is, what may happen to it, and how amounts and errors are written. No I/O, no clock."""
