"""The steps between versions of old archives, each in a file that is called by the version it leads to."""
