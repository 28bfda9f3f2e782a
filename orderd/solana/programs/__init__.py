"""The programs of the chain that every trade needs, one a module. Those of pools are in ``orderd.pools``."""
