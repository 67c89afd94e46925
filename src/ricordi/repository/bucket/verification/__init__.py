"""Verification of a store in a bucket: packs, what nodes name, content; and the memory of what was read when."""
