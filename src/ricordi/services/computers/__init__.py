"""Computers: their settings, how they are reached and tested, and the work directories on them."""
