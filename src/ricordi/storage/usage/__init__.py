"""What takes the space: which nodes name which objects, joined with what these take."""
