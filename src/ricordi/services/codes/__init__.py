"""Codes, looked at: lists, settings, export."""
