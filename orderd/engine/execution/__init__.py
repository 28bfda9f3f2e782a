"""An order's turn: a route becomes a transaction that is simulated, signed, stored and handed over."""
