"""``orderd run``: starts, supervises and stops a tree of processes."""
