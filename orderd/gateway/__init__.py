"""The port that clients connect to. It takes orders in and tells what becomes of them; it executes none."""
