"""The integer maths that the kinds of pools share, and how an amount is split among pools of any kind. Pure.

What a kind does of its own is in ``orderd.pools``, in the kind's folder ``maths``: it mirrors one program of the chain
bit for bit, in Python's unbounded integers with the program's limits checked where they bind. Amounts are base units
(u64), prices are fixed-point integers as the programs store them; ``Fraction`` appears only in figures for people (spot
price, price impact).
"""
