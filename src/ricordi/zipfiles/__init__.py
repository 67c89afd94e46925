"""Zip files, read and written without a list of their members in memory. Knows nothing of archives."""
