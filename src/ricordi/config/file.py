"""Reading and replacing `config.json` so that nobody's change is lost, whoever writes it.

What only writing needs is imported where it writes: completion of a profile's name waits for this module.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ricordi.config.merge import merge
from ricordi.errors import ConfigurationError, MissingConfigurationError

LOCK_SECONDS = 30.0
LARGEST_FILE = 8 << 20
"""Bytes; real ones have some hundred for each profile."""
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100

FileIdentity = tuple[int, int, int, int]
"""Device, inode, time of change and size of a file: another one after any replacement."""


class Version(NamedTuple):
    """The content of the file, and the identity of the file that has to be in place for it to be replaced."""

    content: Any
    identity: FileIdentity


class Interference(NamedTuple):
    """Another program wrote while we did.

    :param written: what it wrote; None: it removed the file.
    :param now_in_place: what is in the file's place now: that, or ours.
    """

    written: Any
    now_in_place: Version | None


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    :raises ricordi.errors.MissingConfigurationError: there is no such file.
    :raises ricordi.errors.ConfigurationError: it cannot be read, or is not JSON; the message tells line and column.
    """
    return _read(path)[0]


def update_json(path: Path, change: Callable[[Any], Any], mode: int = 0o600) -> Any:
    """Replace a JSON file by what `change` makes of its content (None: no file yet), whole and durably.

    A lock keeps out other processes that use this function. A program that holds no lock and writes at the same moment
    is found out (the file is exchanged, and what came out is not what was read), and its change is merged in.

    :param mode: the widest permission bits of the new file.
    :returns: the content now on disk.
    """
    from filelock import FileLock, Timeout

    target = path.resolve()  # a symbolic link stays one: its target is replaced
    lock = target.parent / f'.{target.name}.ricordi-lock'
    try:
        with FileLock(lock, timeout=LOCK_SECONDS, mode=0o600):
            _give_to_owner(lock, target)
            _remove_drafts(target)
            return _update_locked(target, change, mode)
    except Timeout:
        raise ConfigurationError(
            f'another process has been writing {target} for more than {LOCK_SECONDS:.0f} seconds; try again later'
        ) from None
    except OSError as error:
        raise ConfigurationError(f'cannot write {target}: {error.strerror or error}; nothing was changed') from error


def _remove_drafts(path: Path) -> None:
    """Remove what writers that were killed have left: under the lock nobody else has a draft."""
    draft = re.compile(rf'\.{re.escape(path.name)}\.[a-z0-9_]{{8}}')  # as `tempfile` names them
    with suppress(OSError):
        for entry in path.parent.iterdir():
            if draft.fullmatch(entry.name):
                entry.unlink(missing_ok=True)


def _update_locked(path: Path, change: Callable[[Any], Any], mode: int) -> Any:
    expected = _read_version(path)
    content = change(None if expected is None else expected.content)
    if expected is not None and content == expected.content and not _is_wider(path, mode):
        return content
    while True:
        other = _replace(path, encode_json(content), expected, mode)
        if other is None:
            return content
        if expected is None or not isinstance(other.written, dict):
            content = change(other.written)
        else:  # what they changed since the version we took for the current one, together with what we did
            content = merge(expected.content, content, other.written)
        expected = other.now_in_place


def encode_json(content: Any) -> bytes:
    """JSON as AiiDA lays it out (indent 4), in UTF-8; what UTF-8 cannot carry is escaped."""
    try:
        return json.dumps(content, indent=4, ensure_ascii=False).encode('utf-8')
    except UnicodeEncodeError:
        return json.dumps(content, indent=4).encode('utf-8')


def _read(path: Path) -> tuple[Any, FileIdentity]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait for somebody to write
        with os.fdopen(descriptor, 'rb') as handle:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f'{path} is no regular file, and so no configuration; {_way_out(path)}')
            raw = handle.read(LARGEST_FILE + 1)
            identity = _identity(status)
    except FileNotFoundError:
        raise MissingConfigurationError(f'there is no configuration file {path}') from None
    except OSError as error:
        raise ConfigurationError(f'cannot read {path}: {error.strerror or error}') from error
    if len(raw) > LARGEST_FILE:
        raise ConfigurationError(f'{path} is too large to be a configuration; {_way_out(path)}')
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
    """Put `content` in the place of the version `expected`, or tell who came between."""
    from ricordi.files import fsync_folder

    temporary = _write_beside(path, content, mode)
    try:
        if expected is None:
            return None if _create(temporary, path) else _found_in_place(path)
        mine = _identity(temporary.stat())
        if _exchange(temporary, path):
            if _identity(temporary.stat()) == expected.identity:
                return None
            # To exchange back instead could throw away what the other program writes in this instant.
            return Interference(_read(temporary)[0], Version(json.loads(content), mine))
        if _identity(path.stat()) != expected.identity:  # leaves an instant uncovered where files cannot be exchanged
            return _found_in_place(path)
        temporary.replace(path)
        return None
    except FileNotFoundError:
        return _found_in_place(path)
    finally:
        with suppress(OSError):
            temporary.unlink()
        fsync_folder(path.parent)


def _found_in_place(path: Path) -> Interference:
    version = _read_version(path)
    return Interference(None if version is None else version.content, version)


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    import tempfile

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
    import ctypes

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
