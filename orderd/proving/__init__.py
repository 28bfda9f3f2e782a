"""Whether the swaps of a pool kind are what the program makes of them, on the chain that is traded on.

Swaps in real pools are quoted, tried by the node's own simulation, and run by LiteSVM on the program that the node has.
What is received and spent has to be equal to the base unit. Nothing is signed or sent.
"""
