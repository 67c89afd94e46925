"""Reading and replacing `config.json` so that nobody's change is lost, whoever writes it."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ricordi.errors import ConfigurationError, MissingConfigurationError
from ricordi.files import fsync_folder

LOCK_SECONDS = 30.0
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100

FileIdentity = tuple[int, int, int, int]
"""Device, inode, time of change and size of a file: another one after any replacement."""


@dataclass(frozen=True, slots=True)
class Version:
    """The content of the file, and the identity of the file that has to be in place for it to be replaced."""

    content: Any
    identity: FileIdentity


@dataclass(frozen=True, slots=True)
class Interference:
    """What another program wrote while we did; `in_place`: it is what the file holds now (None: nothing)."""

    version: Version | None
    in_place: bool


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    :raises ricordi.errors.MissingConfigurationError: there is no such file.
    :raises ricordi.errors.ConfigurationError: it cannot be read, or is not JSON; the message tells line and column.
    """
    return _read(path)[0]


def update_json(path: Path, change: Callable[[Any], Any], mode: int = 0o600) -> Any:
    """Replace a JSON file by what `change` makes of its content (None: no file yet), whole and durably.

    A lock keeps out other processes that use this function. A program that holds no lock and writes at the same moment
    is found out (the file is exchanged, and what came out is not what was read), and `change` is asked again with
    what that program wrote.

    :param mode: the widest permission bits of the new file.
    :returns: the content now on disk.
    """
    from filelock import FileLock, Timeout

    target = path.resolve()  # a symbolic link stays one: its target is replaced
    lock = target.parent / f'.{target.name}.ricordi-lock'
    try:
        with FileLock(lock, timeout=LOCK_SECONDS, mode=0o600):
            _give_to_owner(lock, target)
            return _update_locked(target, change, mode)
    except Timeout:
        raise ConfigurationError(
            f'another process has been writing {target} for more than {LOCK_SECONDS:.0f} seconds; try again later'
        ) from None
    except OSError as error:
        raise ConfigurationError(f'cannot write {target}: {error.strerror or error}; nothing was changed') from error


def _update_locked(path: Path, change: Callable[[Any], Any], mode: int) -> Any:
    current: Version | None = _read_version(path)
    in_place = True
    while True:
        content = change(None if current is None else current.content)
        if in_place and current is not None and content == current.content and not _is_wider(path, mode):
            return content
        other = _replace(path, encode_json(content), current, mode)
        if other is None:
            return content
        current, in_place = other.version, other.in_place


def encode_json(content: Any) -> bytes:
    """JSON as AiiDA lays it out (indent 4), in UTF-8; what UTF-8 cannot carry is escaped."""
    try:
        return json.dumps(content, indent=4, ensure_ascii=False).encode('utf-8')
    except UnicodeEncodeError:
        return json.dumps(content, indent=4).encode('utf-8')


def _read(path: Path) -> tuple[Any, FileIdentity]:
    try:
        with path.open('rb') as handle:
            raw = handle.read()
            identity = _identity(os.fstat(handle.fileno()))
    except FileNotFoundError:
        raise MissingConfigurationError(f'there is no configuration file {path}') from None
    except OSError as error:
        raise ConfigurationError(f'cannot read {path}: {error.strerror or error}') from error
    try:
        return json.loads(raw), identity
    except UnicodeDecodeError:
        raise ConfigurationError(f'{path} is not JSON: not even text; {_way_out(path)}') from None
    except json.JSONDecodeError as error:
        place = f'line {error.lineno}, column {error.colno}'
        raise ConfigurationError(f'{path} is not JSON: {error.msg} at {place}; {_way_out(path)}') from None
    except RecursionError:
        raise ConfigurationError(f'{path} is nested too deeply to be a configuration; {_way_out(path)}') from None


def _read_version(path: Path) -> Version | None:
    try:
        return Version(*_read(path))
    except MissingConfigurationError:
        return None


def _way_out(path: Path) -> str:
    copies = sorted(path.parent.glob(f'{path.name}.[0-9]*'))
    if copies:
        return f'correct it, or put back the last copy that AiiDA made: {copies[-1]}'
    return 'correct it, or restore a copy of it from a backup'


def _identity(status: os.stat_result) -> FileIdentity:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _is_wider(path: Path, mode: int) -> bool:
    return bool(path.stat().st_mode & 0o777 & ~mode)


def _replace(path: Path, content: bytes, expected: Version | None, mode: int) -> Interference | None:
    """Put `content` in the place of the version `expected`; what another program wrote meanwhile is returned."""
    temporary = _write_beside(path, content, mode)
    try:
        if expected is None:
            return None if _create(temporary, path) else Interference(_read_version(path), True)
        mine = _identity(temporary.stat())
        if _exchange(temporary, path):
            if _identity(temporary.stat()) == expected.identity:
                return None
            # What came out was never read: its changes go on top of ours, which is in place now. To exchange back
            # instead could throw away what the other program writes in this instant.
            return Interference(Version(_read(temporary)[0], mine), False)
        if _identity(path.stat()) != expected.identity:  # leaves an instant uncovered where files cannot be exchanged
            return Interference(_read_version(path), True)
        temporary.replace(path)
        return None
    except FileNotFoundError:  # somebody removed the file
        return Interference(_read_version(path), True)
    finally:
        with suppress(OSError):
            temporary.unlink()
        fsync_folder(path.parent)


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    with os.fdopen(descriptor, 'wb') as handle:
        handle.write(content)
        handle.flush()
        os.fchmod(descriptor, mode)
        _give_to_owner(descriptor, path)
        os.fsync(descriptor)
    return Path(name)


def _give_to_owner(new: Path | int, path: Path) -> None:
    """Let a new file belong to whom the old one (or the folder) does: root at work must not lock a user out."""
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        os.chown(new, owner.st_uid, owner.st_gid)


def _create(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # no hard links here
        if path.exists():
            return False
        temporary.replace(path)
    return True


def _exchange(left: Path, right: Path) -> bool:
    """Let two files change names in one step; False where the system cannot (only Linux can)."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if rename(_AT_FDCWD, os.fsencode(left), _AT_FDCWD, os.fsencode(right), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), str(right))
