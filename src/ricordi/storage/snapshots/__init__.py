"""Databases at one moment: captured, and filled into new ones."""
