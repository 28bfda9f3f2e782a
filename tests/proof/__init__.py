"""Orders of all kinds over hosts that are killed, frozen and cut off: ``make proof``."""
