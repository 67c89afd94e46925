"""Reading and replacing `config.json` so that nobody's change is lost, whoever writes it.

What only writing needs is imported where it writes: completion of a profile's name waits for this module.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.config.merge import merge
from ricordi.errors import ConfigurationError, DamagedConfiguration, MissingConfigurationError

if TYPE_CHECKING:
    from ricordi.folders import OpenFolder

LOCK_SECONDS = 30.0
LARGEST_FILE = 8 << 20
"""Bytes; real ones have some hundred for each profile."""
_RENAME_EXCHANGE = 2
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What network file systems say that are mounted without locks."""
_PAUSE_SECONDS = 0.02

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
    :raises ricordi.errors.DamagedConfiguration: it is not JSON; the message tells line and column.
    :raises ricordi.errors.ConfigurationError: it cannot be read.
    """
    return _read(path)[0]


def update_json(path: Path, change: Callable[[Any], Any], mode: int = 0o600) -> Any:
    """Replace a JSON file by what `change` makes of its content (None: no file yet), whole and durably.

    A lock keeps out other processes that use this function. A program that holds no lock and writes at the same moment
    is found out (the file is exchanged, and what came out is not what was read), and its change is merged in.

    :param mode: the widest permission bits of the new file.
    :returns: the content now on disk.
    """
    from ricordi.folders import open_place

    try:
        folder, name = open_place(path)  # a symbolic link stays one: its target is replaced
        with folder, _locked(folder, f'.{name}.ricordi-lock'):
            _remove_drafts(folder, name)
            return _update_locked(folder, name, change, mode)
    except TimeoutError:
        raise ConfigurationError(
            f'another process has been writing {path} for more than {LOCK_SECONDS:.0f} seconds; try again later'
        ) from None
    except OSError as error:
        raise ConfigurationError(f'cannot write {path}: {error.strerror or error}; nothing was changed') from error


@contextmanager
def _locked(folder: OpenFolder, name: str) -> Iterator[None]:
    """Have a file of this name locked, which stays.

    :raises TimeoutError: another process has it for too long.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        descriptor = _open_lock(folder, name)
        try:
            if _lock(descriptor) and _is_at(descriptor, folder, name):
                yield
                return
        finally:
            os.close(descriptor)
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        time.sleep(_PAUSE_SECONDS)


def _open_lock(folder: OpenFolder, name: str) -> int:
    while True:
        try:
            return folder.open(name, os.O_RDWR)
        except FileNotFoundError:
            pass
        except OSError as error:
            _refuse_odd(folder.path / name, error)
            raise
        with suppress(FileExistsError):  # made in between by another one
            return folder.create(name)


def _refuse_odd(path: Path, error: OSError) -> None:
    """
    :raises ricordi.errors.DamagedConfiguration: something else than a file stands in the place of the lock.
    """
    from ricordi.files import describe_odd

    if odd := describe_odd(path):
        raise DamagedConfiguration(f'cannot lock {path}: {odd}; nothing was changed') from error


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise OSError(errno.ENOLCK, 'this file system gives no locks: have it mounted with them') from error
        raise
    return True


def _is_at(descriptor: int, folder: OpenFolder, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), folder.status(name))
    except FileNotFoundError:
        return False


def _remove_drafts(folder: OpenFolder, name: str) -> None:
    """Remove what writers that were killed have left: under the lock nobody else has a draft."""
    draft = re.compile(rf'\.{re.escape(name)}\.[a-z0-9_]{{8}}')  # as `tempfile` names them
    with suppress(OSError):
        for entry in os.listdir(folder.descriptor):  # noqa: PTH208
            if draft.fullmatch(entry):
                folder.unlink(entry, missing_ok=True)


def _update_locked(folder: OpenFolder, name: str, change: Callable[[Any], Any], mode: int) -> Any:
    expected = _read_version(folder, name)
    content = change(None if expected is None else expected.content)
    if expected is not None and content == expected.content and not folder.status(name).st_mode & 0o777 & ~mode:
        return content
    while True:
        other = _replace(folder, name, encode_json(content), expected, mode)
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


def _read(path: Path, folder: OpenFolder | None = None) -> tuple[Any, FileIdentity]:
    """
    :param folder: where the file is, if it is open; then a symbolic link is not followed.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # opening a pipe would wait for somebody to write
    try:
        if folder is None:
            descriptor = os.open(path, flags)
        else:
            descriptor = os.open(path.name, flags | os.O_NOFOLLOW, dir_fd=folder.descriptor)
        with os.fdopen(descriptor, 'rb') as handle:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise DamagedConfiguration(f'{path} is no regular file, and so no configuration; {_way_out(path)}')
            raw = handle.read(LARGEST_FILE + 1)
            identity = _identity(status)
    except FileNotFoundError:
        raise MissingConfigurationError(f'there is no configuration file {path}') from None
    except OSError as error:
        raise ConfigurationError(f'cannot read {path}: {error.strerror or error}') from error
    if len(raw) > LARGEST_FILE:
        raise DamagedConfiguration(f'{path} is too large to be a configuration; {_way_out(path)}')
    try:
        return json.loads(raw), identity
    except UnicodeDecodeError:
        raise DamagedConfiguration(f'{path} is not JSON: not even text; {_way_out(path)}') from None
    except json.JSONDecodeError as error:
        place = f'line {error.lineno}, column {error.colno}'
        raise DamagedConfiguration(f'{path} is not JSON: {error.msg} at {place}; {_way_out(path)}') from None
    except RecursionError:
        raise DamagedConfiguration(f'{path} is nested too deeply to be a configuration; {_way_out(path)}') from None
    except ValueError:  # of Python's own, beyond some thousand digits
        raise DamagedConfiguration(f'{path} holds a number of too many digits; {_way_out(path)}') from None


def _read_version(folder: OpenFolder, name: str) -> Version | None:
    try:
        return Version(*_read(folder.path / name, folder))
    except MissingConfigurationError:
        return None


def _way_out(path: Path) -> str:
    copies = sorted(path.parent.glob(f'{path.name}.[0-9]*'))
    if copies:
        return f'correct it, or put back the last copy that AiiDA made: {copies[-1]}'
    return 'correct it, or restore a copy of it from a backup'


def _identity(status: os.stat_result) -> FileIdentity:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _replace(folder: OpenFolder, name: str, content: bytes, expected: Version | None, mode: int) -> Interference | None:
    """Put `content` in the place of the version `expected`, or tell who came between."""
    draft = _write_beside(folder, name, content, mode)
    try:
        if expected is None:
            return None if _create(folder, draft, name) else _found_in_place(folder, name)
        mine = _identity(folder.status(draft))
        if _exchange(folder, draft, name):
            if _identity(folder.status(draft)) == expected.identity:
                return None
            # To exchange back instead could throw away what the other program writes in this instant.
            return Interference(_read(folder.path / draft, folder)[0], Version(json.loads(content), mine))
        if _identity(folder.status(name)) != expected.identity:  # leaves an instant uncovered without an exchange
            return _found_in_place(folder, name)
        folder.replace(draft, name)
        return None
    except FileNotFoundError:
        return _found_in_place(folder, name)
    finally:
        with suppress(OSError):
            folder.unlink(draft)
        folder.sync()


def _found_in_place(folder: OpenFolder, name: str) -> Interference:
    version = _read_version(folder, name)
    return Interference(None if version is None else version.content, version)


def _write_beside(folder: OpenFolder, name: str, content: bytes, mode: int) -> str:
    """Write a draft, which belongs to whom the folder does; returns its name."""
    draft = f'.{name}.{os.urandom(4).hex()}'
    with os.fdopen(folder.create(draft), 'wb') as handle:
        handle.write(content)
        handle.flush()
        os.fchmod(handle.fileno(), mode)
        os.fsync(handle.fileno())
    return draft


def _create(folder: OpenFolder, draft: str, name: str) -> bool:
    try:
        folder.name_new(draft, name)
    except FileExistsError:
        return False
    return True


def _exchange(folder: OpenFolder, left: str, right: str) -> bool:
    """Let two files change names in one step; False where the system cannot (only Linux can)."""
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if rename(folder.descriptor, os.fsencode(left), folder.descriptor, os.fsencode(right), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), right)
