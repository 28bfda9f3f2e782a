"""The kinds of pools, a folder each: maths, the program's accounts and instructions, the venue, its part of simnet."""
