"""Integer maths that the pool kinds share, and the split of an amount over pools of any kind. Without I/O.

The maths of each kind is in ``orderd.pools``, in the kind's folder ``maths``: it reproduces one program bit for bit, in
Python's unbounded integers with checks of the program's limits. Amounts are base units (u64), prices are fixed-point
integers as the programs store them. ``Fraction`` is used only for figures that are displayed (spot price, price
impact).
"""
