"""The services orderd brings along where none is configured: Postgres, Redis and the local chain.

Each is an ordinary server process with its data in the state directory, reached over a Unix socket that only this
user can open (the chain: over loopback). A child dies with the daemon, whatever kills the daemon; the next start
waits for what is left of it, and starts it again on the same data.
"""
