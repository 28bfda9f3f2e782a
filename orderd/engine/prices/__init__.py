"""What pairs cost: seen in pools that are read for orders anyway, kept, and told."""
