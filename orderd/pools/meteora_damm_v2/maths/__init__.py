"""Pure: integers in, integers out."""
