"""Dumps: provenance as folders of files, kept up to date."""
