"""The local chain's handlers against the binaries of the real programs: same orders, same accounts, same answers.

``make conformance PROGRAMS=DIRECTORY``; docs/conformance.md has what was found, and where binaries are.
"""
