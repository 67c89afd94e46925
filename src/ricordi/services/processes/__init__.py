"""Processes, looked at: lists, reports, who called whom."""
