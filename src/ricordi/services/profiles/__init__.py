"""Profiles: listed, shown, set up, deleted."""
