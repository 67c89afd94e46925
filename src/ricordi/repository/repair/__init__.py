"""Mending a container: objects from where sound copies are, the index from what lies in the packs."""
