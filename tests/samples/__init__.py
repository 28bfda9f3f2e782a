"""Sample values for tests: an order with its terms, events and quotes, mints, and counted metrics."""
