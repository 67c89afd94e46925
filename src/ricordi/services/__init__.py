"""The verbs as plain functions: typed arguments in, dataclasses out. Nothing here prints."""
