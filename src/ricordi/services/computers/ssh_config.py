"""What a person's OpenSSH configuration (`~/.ssh/config`) says about a host, read as ssh_config(5) tells."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

_DEEPEST = 16
"""So many files may include one another, as in OpenSSH."""


def read_ssh_config(path: Path, host: str) -> dict[str, str]:
    """Settings for a host, names in lower case: of several values the first, as OpenSSH takes it.

    `Host` blocks and `Include` are followed; of `Match` only `Match all`. Empty where there is no file.

    :param host: the name as it would be given to `ssh`.
    """
    found: dict[str, str] = {}
    for name, value in _settings(path, host, path.parent, 0):
        found.setdefault(name, value)
    if 'proxycommand' in found:
        target = found.get('hostname', host).replace('%h', host)
        filled = found['proxycommand'].replace('%h', target).replace('%p', found.get('port', '22'))
        found['proxycommand'] = '' if filled.lower() == 'none' else filled.replace('%r', found.get('user', ''))
    return found


def _settings(path: Path, host: str, folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Names and values that count for the host, in the order of the file."""
    try:
        lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        return
    counts = True
    for line in lines:
        name, value = _split(line)
        if name == 'host':
            counts = _fits(host, _words(value))
        elif name == 'match':
            counts = value.strip().lower() == 'all'
        elif name == 'include' and counts and depth < _DEEPEST:
            for pattern in _words(value):
                place = Path(pattern).expanduser()
                for included in sorted(folder.glob(pattern) if not place.is_absolute() else _glob(place)):
                    yield from _settings(included, host, folder, depth + 1)
        elif name and counts:
            # A command is taken as it stands, to the end of the line.
            words = [] if name in ('proxycommand', 'localcommand', 'remotecommand') else _words(value)
            yield name, words[0] if len(words) == 1 else value


def _split(line: str) -> tuple[str, str]:
    """Name in lower case and value of a line, which an equals sign or blanks separate."""
    line = line.strip()
    if not line or line.startswith('#'):
        return '', ''
    end = next((place for place, char in enumerate(line) if char in ' \t='), len(line))
    rest = line[end:].lstrip()
    return line[:end].lower(), rest.removeprefix('=').strip()


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value, comments=True)
    except ValueError:
        return value.split()


def _fits(host: str, patterns: list[str]) -> bool:
    """Whether one of the patterns fits and none that is negated does."""
    if any(pattern.startswith('!') and fnmatchcase(host, pattern[1:]) for pattern in patterns):
        return False
    return any(not pattern.startswith('!') and fnmatchcase(host, pattern) for pattern in patterns)


def _glob(path: Path) -> Iterator[Path]:
    return Path(path.anchor).glob(str(path.relative_to(path.anchor)))
