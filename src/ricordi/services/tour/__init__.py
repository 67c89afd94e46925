"""The tour: a storage that has seen bad days, and what is done about it, to be looked at."""
