"""The local chain's handlers against the binaries of the real programs: same orders, same accounts, same results.

``make conformance PROGRAMS=DIRECTORY``; docs/conformance.md has the results, and says where to get the binaries.
"""
