"""The pure core: orders and their states, amounts, prices and errors. No I/O, no clock."""
