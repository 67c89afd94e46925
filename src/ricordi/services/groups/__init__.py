"""Groups: found, changed, filled, deleted."""
