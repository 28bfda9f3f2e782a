"""How fast orderd is on this machine, beside what the machine itself can do in the same run."""
