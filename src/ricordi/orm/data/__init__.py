"""Data nodes: what calculations read and make."""
