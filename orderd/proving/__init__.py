"""Checks that the quotes of a pool kind equal the results of its program on the configured chain.

Swaps in real pools are quoted, simulated by the node, and executed by LiteSVM with the program of the node. The amounts
received and spent must be equal to the base unit. Nothing is signed or sent.
"""
