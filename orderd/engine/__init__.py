"""The engine: accepts orders, routes them, executes each at most once, and settles them."""
