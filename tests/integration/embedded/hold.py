"""A stand-in for the daemon: starts the services in a directory, reports them, and waits until it is ended."""

import signal
import sys
from pathlib import Path

from orderd.embedded.lock import instance_lock
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis

state_dir = Path(sys.argv[1])
with instance_lock(state_dir):
    children = [service(state_dir).start() for service in (Postgres, Redis)]
    sys.stdout.write(" ".join(str(child.pid) for child in children) + "\n")
    sys.stdout.flush()
    signal.pause()
