"""Verification of stores of objects: their structure, every byte, and what is remembered of what was read when."""
