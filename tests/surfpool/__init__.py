"""The same orders on the local chain, with its own handlers and with the programs' binaries, and on surfpool.

Surfpool is a validator that nobody of this project wrote. ``make surfpool SURFPOOL=ADDON PROGRAMS=DIRECTORY``; where to
get both, and what was found, stands in docs/conformance.md.
"""
