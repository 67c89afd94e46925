"""Mending a store in a bucket: objects from where sound copies are, rows of the index from the packs themselves."""
