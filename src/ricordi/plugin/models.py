"""What `verdi profile setup` asks for."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, Field, field_validator

from ricordi.plugin.profiles import config_folder


def _new_folder() -> str:
    return str(config_folder() / 'repository' / f'sqlite_dos_{uuid4().hex}')


class SqliteSetup(BaseModel):
    """The configuration of a storage in a folder."""

    filepath: str = Field(
        title='Directory of the backend',
        description='The folder that holds the database and the repository.',
        default_factory=_new_folder,
    )

    @field_validator('filepath')
    @classmethod
    def filepath_is_absolute(cls, value: str) -> str:
        """The folder as an absolute path."""
        return str(Path(value).expanduser().resolve())


class PsqlSetup(BaseModel):
    """The configuration of a storage with a PostgreSQL database."""

    database_engine: str = Field(
        title='PostgreSQL engine',
        description='What AiiDA would reach the database by.',
        default='postgresql_psycopg',
    )
    database_hostname: str = Field(
        title='PostgreSQL hostname', description='The host of the PostgreSQL server.', default='localhost'
    )
    database_port: int = Field(title='PostgreSQL port', description='The port of the PostgreSQL server.', default=5432)
    database_username: str = Field(
        title='PostgreSQL username', description='The user as whom to connect to the PostgreSQL server.'
    )
    database_password: str = Field(title='PostgreSQL password', description='The password of that user.')
    database_name: str = Field(
        title='PostgreSQL database name', description='The name of the database on the PostgreSQL server.'
    )
    repository_uri: str = Field(
        title='File repository URI',
        description='Where the repository is: file:// and an absolute path.',
    )
