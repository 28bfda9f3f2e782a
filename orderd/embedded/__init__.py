"""The services that orderd starts itself if none is configured: Postgres, Redis and the local chain.

Each is an ordinary server process with its data in the state directory. Clients reach it over a Unix socket that only
this user can open (the chain: over loopback). A child ends with the daemon, even if the daemon is killed. The next
start waits until the old processes have ended, and then starts new ones on the same data.
"""
