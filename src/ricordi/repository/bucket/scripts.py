"""Statements that come with this package as files."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> bytes:
    """All of a file, by its name."""
    return files(__package__).joinpath(name).read_bytes()
