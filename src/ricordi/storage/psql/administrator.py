"""The administrator of a PostgreSQL server, who may make roles and databases there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Administrator:
    """How to reach the server with the right to create roles and databases; what is None is left to libpq."""

    hostname: str | None = None
    port: int | None = None
    username: str | None = None
    password: str | None = None
    database: str = 'postgres'

    @property
    def place(self) -> str:
        """The server in words, without the password."""
        return (
            f'PostgreSQL server {self.hostname or "localhost"}:{self.port or 5432} (user {self.username or "default"})'
        )
