"""Orders of all kinds in a cluster whose hosts are killed, frozen and disconnected: ``make proof``."""
