"""A client of the port: calls, and orders' news through disconnections. Knows the wire and the domain alone."""
