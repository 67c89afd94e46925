"""Calculation jobs, looked at: input files, retrieved files, results."""
