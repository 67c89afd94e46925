"""The profile `p` that cases are tried on, on SQLite or PostgreSQL, and putting it back as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

REFERENCE = Path(__file__).parents[1] / 'data' / 'reference.aiida'
EMAIL = 'me@example.org'
SECRET = 'planted-9f1c4e7a-secret'
"""What stands as a password in the configuration, and must stand nowhere else."""


class Profile:
    """A profile in the configuration folder of a door."""

    def __init__(self, folder: Path, server: str | None = None) -> None:
        """
        :param server: the URI of a server as its administrator, up to the name of the database; None: on SQLite.
        """
        self.folder = folder
        self.home = folder / '.aiida'
        self._server = server
        self._database: str | None = None

    @property
    def repository(self) -> Path:
        """The folder of its container."""
        if self._server is not None:
            return self.home / 'repository' / 'p' / 'container'
        return next(self.home.rglob('container'))

    def make(self, filled: bool = True) -> None:
        """Make it.

        :param filled: with the content of the reference archive.
        """
        if self._server is None:
            self.run('presto', '-p', 'p', '--email', EMAIL)
        else:
            self._set_up_on_server()
        if filled:
            self.run('-p', 'p', 'archive', 'import', str(REFERENCE))
        plant_secret(self.home)

    def keep(self) -> None:
        """Keep it as it is now, to be put back."""
        shutil.copytree(self.home, self.folder / 'template', symlinks=True)
        if self._database is not None:
            self._execute(f'CREATE DATABASE {self._database}_template TEMPLATE {self._database}')

    def put_back(self) -> None:
        """Have it as it was kept."""
        shutil.rmtree(self.home)
        shutil.copytree(self.folder / 'template', self.home, symlinks=True)
        if self._database is not None:
            self._execute(f'DROP DATABASE {self._database} WITH (FORCE)')
            self._execute(f'CREATE DATABASE {self._database} TEMPLATE {self._database}_template')

    def tear_down(self) -> None:
        """Remove what is on the server."""
        if self._database is not None:
            for name in (self._database, f'{self._database}_template'):
                self._execute(f'DROP DATABASE IF EXISTS {name} WITH (FORCE)')

    def run(self, *words: str) -> None:
        """Run a command that has to work."""
        environment = {'AIIDA_PATH': str(self.home), 'PATH': '/usr/bin:/bin'}
        done = subprocess.run(
            [sys.executable, '-m', 'ricordi', *words], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def _set_up_on_server(self) -> None:
        name = f'hostile_{uuid.uuid4().hex[:12]}'
        self._execute(f'CREATE DATABASE {name}')
        self._database = name
        address = urlsplit(self._server or '')
        given = {
            'hostname': address.hostname,
            'port': address.port,
            'username': address.username or 'postgres',
            'name': name,
            'password': 'x',
        }
        options = [f'--database-{key}={value}' for key, value in given.items()]
        place = (self.home / 'repository' / 'p').as_uri()
        common = ('--non-interactive', '--email', EMAIL, '--profile-name', 'p', f'--repository-uri={place}')
        self.run('profile', 'setup', 'core.psql_dos', *common, *options)

    def _execute(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(f'{self._server}/postgres', autocommit=True) as raw:
            raw.execute(sql.encode())


def plant_secret(home: Path) -> None:
    """Put a password into a configuration: that of a broker in each profile, and that of a server that is not there."""
    path = home / 'config.json'
    config = json.loads(path.read_text())
    for profile in config['profiles'].values():
        profile['process_control'] = {
            'backend': 'core.rabbitmq',
            'config': {'broker_host': '127.0.0.1', 'broker_password': SECRET},
        }
    config['profiles']['closed'] = {
        'PROFILE_UUID': 'c' * 32,
        'storage': {
            'backend': 'core.psql_dos',
            'config': {
                'database_hostname': '127.0.0.1',
                'database_port': 1,
                'database_username': 'me',
                'database_password': SECRET,
                'database_name': 'x',
                'repository_uri': (home / 'closed').as_uri(),
            },
        },
        'process_control': {'backend': None, 'config': None},
        'options': {},
    }
    path.write_text(json.dumps(config))
