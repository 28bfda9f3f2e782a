"""``orderd run`` as a tree of processes, which it starts, watches and stops."""
