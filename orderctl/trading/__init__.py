"""Trading: parsing, sending, looking up and following orders."""
