"""Maintenance of a container: counted, planned, carried out, reported."""
