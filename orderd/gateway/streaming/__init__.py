"""Events of orders for their followers, each once and in order."""
