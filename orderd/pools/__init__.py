"""The kinds of pools, one folder each: maths, the program's accounts and instructions, the venue, and handlers for
simnet."""
