"""Where objects in a bucket are, and how they are reached, as plain data: what a profile says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = 'ricordi_bucket'
"""The schema of the database in which the index of the objects is, unless a profile says another."""


@dataclass(frozen=True, slots=True)
class BucketLocation:
    """A bucket of an S3-compatible store, a folder in it, and the database that has the index of the objects.

    Its repr tells no secret.

    :param database: what `psycopg.connect` is given: host, port, user, password, dbname, application_name …
    :param bucket: its name.
    :param prefix: a folder in the bucket, without slashes at its ends; empty: the top.
    :param endpoint: the address of the store, as `https://s3.example.org`; empty: that of AWS for the region.
    :param access_key_id: empty, with the secret: what the client finds by itself (the environment, the role of the
        machine).
    :param schema: of the database, in which the tables of the index are.
    :param cache_folder: where objects that were read are kept; None: nowhere.
    :param cache_bytes: how much of them is kept.
    :param virtual_hosted: the name of the bucket is a part of the host name, not of the path.
    """

    database: Mapping[str, Any] = field(repr=False)
    bucket: str
    prefix: str = ''
    endpoint: str = ''
    region: str = 'us-east-1'
    access_key_id: str = field(default='', repr=False)
    secret_access_key: str = field(default='', repr=False)
    session_token: str = field(default='', repr=False)
    schema: str = SCHEMA
    cache_folder: Path | None = None
    cache_bytes: int = 1 << 30
    virtual_hosted: bool = False

    def __str__(self) -> str:
        return f's3://{self.bucket}/{self.prefix}'.rstrip('/')

    @property
    def place(self) -> str:
        """The bucket in words, for messages."""
        return f'bucket {self} at {self.endpoint or f"AWS {self.region}"}'

    @property
    def index_place(self) -> str:
        """The database of the index in words, without any secret."""
        known = self.database
        host = f'{known.get("host") or "local socket"}:{known.get("port") or 5432}'
        return f'PostgreSQL database {known.get("dbname") or known.get("user") or ""} at {host}'

    def is_same_index(self, other: BucketLocation) -> bool:
        """Whether the index of the objects is the same, and so are they."""
        return (self.index_place, self.schema) == (other.index_place, other.schema)
