"""orderctl: the trader's terminal client of orderd."""
