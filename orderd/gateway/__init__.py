"""The port that clients connect to. It accepts orders and reports what happens to them; it does not execute them."""
