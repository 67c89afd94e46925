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


class _PsqlDatabase(BaseModel):
    """Where a PostgreSQL database is."""

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


class PsqlSetup(_PsqlDatabase):
    """The configuration of a storage with a PostgreSQL database."""

    repository_uri: str = Field(
        title='File repository URI',
        description='Where the repository is: file:// and an absolute path.',
    )


class BucketSetup(_PsqlDatabase):
    """The configuration of a storage with a PostgreSQL database and a bucket."""

    endpoint_url: str = Field(
        title='Address of the object store',
        description='Such as https://s3.example.org; empty for that of AWS.',
        default='',
    )
    bucket_name: str = Field(title='Bucket', description='The name of the bucket, which must be there.')
    prefix: str = Field(title='Folder in the bucket', description='Empty for its top.', default='')
    region: str = Field(title='Region of the bucket', description='Empty for the one that is found.', default='')
    access_key_id: str = Field(
        title='Access key',
        description='Empty for the one in the environment or in the shared credentials file.',
        default='',
    )
    secret_access_key: str = Field(
        title='Secret of the access key',
        description='Kept in the configuration; empty for the one that is found as the key is.',
        default='',
    )
