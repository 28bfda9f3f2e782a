"""REST and the probes over HTTP."""
