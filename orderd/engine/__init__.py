"""What orderd does with an order: takes it in, routes it, executes it once, and settles it."""
