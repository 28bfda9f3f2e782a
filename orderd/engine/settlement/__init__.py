"""What becomes of signed attempts: sent until they land or cannot, looked after until they are final."""
