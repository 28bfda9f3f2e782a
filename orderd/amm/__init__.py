"""Pure integer mathematics of each pool kind: what a swap takes, gives, costs and leaves behind.

Every module mirrors one on-chain program bit for bit, in Python's unbounded integers with the program's
limits checked where they bind. Amounts are base units (u64), prices are fixed-point integers as the
programs store them; `Fraction` appears only in figures for people (spot price, price impact).
"""
