"""The programs that every trade needs, one per module. Pool programs are in ``orderd.pools``."""
