"""Nodes: found, listed, shown, changed, deleted."""
