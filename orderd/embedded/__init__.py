"""The services that orderd starts itself if none is configured: Postgres, Redis and the local chain.

Each is an ordinary server process with its data in the state directory, reached over a Unix socket that only this
user can open (the chain: over loopback). A child dies with the daemon, however the daemon dies; the next start waits
until its remains are gone, and starts it again on the same data.
"""
