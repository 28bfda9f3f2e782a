"""Wire formats of other order engines, so that their clients work with orderd unchanged.

A dialect only translates orderd's own wire format: an order in a dialect goes through the same checks and intake, and a
stream is a subscription whose notifications are translated. docs/dialects.md describes the formats.
"""
