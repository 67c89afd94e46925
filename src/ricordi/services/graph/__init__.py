"""Drawings of a part of the provenance graph."""
