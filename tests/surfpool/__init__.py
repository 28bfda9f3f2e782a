"""The same orders on the local chain, with its own handlers and with the programs' binaries, and on surfpool.

Surfpool is an independent validator. ``make surfpool SURFPOOL=ADDON PROGRAMS=DIRECTORY``; docs/conformance.md says
where to get both, and has the results.
"""
