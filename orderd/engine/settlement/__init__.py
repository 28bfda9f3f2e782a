"""Settlement of signed attempts: resends them until they land or expire, and follows them until they are final."""
