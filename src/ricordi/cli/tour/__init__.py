"""The tour as a verb, and what it says."""
