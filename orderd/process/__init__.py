"""``orderd run`` as a tree of processes: what it starts, watches over and stops."""
