"""What takes the space of a storage: sums with the names of what they are of, and a walk through them."""
