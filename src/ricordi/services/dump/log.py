"""The log of a dump: which folder holds which node, as it was when, and which files were made. JSON lines.

A line is appended when a folder is complete and on disk, so a process that is killed leaves a log that is true. A line
that was torn by a crash is left out. At the end of a run the log is replaced by a shorter one if much of it is out of
date.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from ricordi.errors import InvalidOperation
from ricordi.remedies import Remedy
from ricordi.services.dump.line import TOLD, WrongLine, parse_line
from ricordi.services.dump.names import LOG, LOG_DRAFT
from ricordi.services.dump.root import NOT_OURS, DumpRoot, open_regular

VERSION = 1

_OF_PROFILE = ('profile', 'profile_uuid')
_FLUSH_EVERY = 10.0
_MOST_PENDING = 2000
_LONGEST_LINE = 64 << 20
"""Bytes; a line names the files of one node, some hundred bytes each."""
_WAY_OUT = 'remove it, and the next run writes all folders again'


@dataclass(slots=True)
class Entry:
    """A folder of the dump that is complete, or a link to one.

    :param uuid: of the node that it holds.
    :param mtime: of the node when it was written, in ISO 8601.
    :param group: uuid of the group in whose folder it is; empty: in none.
    :param top: uuid of the node on whose account it is there: itself, or the workflow that called it.
    :param how: the options that shape a folder.
    :param target: of a link: the folder that it leads to.
    """

    uuid: str
    mtime: str
    group: str
    top: str
    how: str
    target: str | None = None
    offset: int = -1


class DumpLog:
    """What a dump folder holds, by path relative to it. Without a file, an empty one."""

    def __init__(
        self,
        folder: DumpRoot,
        storage: str,
        subject: str | None,
        profile: tuple[str, str] | None = None,
        read_only: bool = False,
    ) -> None:
        """
        :param folder: the folder of the dump; the log is opened in it, and nowhere else.
        :param storage: identifies the storage that is dumped.
        :param profile: name and uuid of the profile, for a storage may have been copied; None: of an archive.
        :param subject: what of it: `profile`, or the uuid of a group; None: whatever the log is of.
        :param read_only: keep changes in memory and write none.
        :raises ricordi.errors.InvalidOperation: the log is of another storage or subject, or damaged.
        :raises ricordi.services.dump.line.WrongLine: it says what no dump writes, such as a path out of the folder.
        """
        self._folder = folder
        self.path = folder.path / LOG
        self.entries: dict[str, Entry] = {}
        self.roots: dict[str, str] = {}
        self._read_only = read_only
        self._header: dict[str, Any] = {'ricordi_dump': VERSION, 'storage': storage, 'subject': subject}
        if profile is not None:
            self._header |= {'profile': profile[0], 'profile_uuid': profile[1]}
        self._pending: list[tuple[str, Entry | None]] = []
        self._files: dict[str, dict[str, str]] = {}
        self._next_flush = time.monotonic() + _FLUSH_EVERY
        self._lines = 0
        self._end = 0
        self._load()

    # -- reading --------------------------------------------------------------------------------------------

    def files(self, path: str) -> dict[str, str]:
        """The files of a folder by path in it, each with the key of its content; a folder ends with a slash."""
        if path in self._files:
            return self._files[path]
        entry = self.entries[path]
        if entry.offset < 0:
            return {}
        with self._open() as handle:
            handle.seek(entry.offset)
            found: dict[str, str] = self._parsed(_line(handle), entry.offset).get('files', {})
        return found

    def _open(self) -> BinaryIO:
        """The log, opened for reading.

        :raises FileNotFoundError: there is none.
        :raises ricordi.services.dump.line.WrongLine: what is there is no file of this folder.
        """
        try:
            return self._folder.read(LOG)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENXIO, *NOT_OURS):
                raise WrongLine(f'{self.path} is no plain file with one name: {_WAY_OUT}') from None
            raise

    def _load(self) -> None:
        """Read all lines; each is checked, and nothing is done before the last one was."""
        with suppress(FileNotFoundError), self._open() as handle:
            while (line := _line(handle)).endswith(b'\n'):
                found = self._parsed(line, self._lines + 1)
                if not self._lines and self._header['subject'] is not None:
                    self._check_header(found)
                self._apply(found, self._end)
                self._end += len(line)
                self._lines += 1

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            return parse_line(line)
        except WrongLine as error:
            raise WrongLine(f'{self.path}, line {number}: {error}; {_WAY_OUT}') from None
        except (ValueError, RecursionError):
            raise InvalidOperation(f'{self.path} is damaged at line {number}: {_WAY_OUT}') from None

    def _check_header(self, found: Mapping[str, Any]) -> None:
        """Refuse the log of something else; an older log does not name the profile."""
        unnamed = {name: value for name, value in self._header.items() if name in _OF_PROFILE and name not in found}
        if {**unnamed, **found} == self._header:
            return
        raise InvalidOperation(
            f'{self.path.parent} holds the dump of {self._told(found)}',
            remedy=Remedy('choose another folder or overwrite'),
        )

    def _told(self, found: Mapping[str, Any]) -> str:
        """Of what the log is that was found here, in words."""
        if any(found[name] != self._header.get(name) for name in ('storage', *_OF_PROFILE) if name in found):
            name = found.get('profile')
            return (
                f'profile {name!r}' if name not in (None, self._header.get('profile')) else 'another profile or archive'
            )
        if found.get('ricordi_dump') != VERSION:
            return 'another version of this program'
        subject = found.get('subject')
        return 'the whole profile or archive' if subject == 'profile' else f'another process or group, {subject}'

    def _apply(self, line: Mapping[str, Any], offset: int) -> None:
        if 'folder' in line:
            uuid, mtime, group, top, how = (str(line[name]) for name in TOLD)
            self.entries[line['folder']] = Entry(uuid, mtime, group, top, how, line.get('target'), offset)
        elif 'removed' in line:
            self.entries.pop(line['removed'], None)
        elif 'moved' in line:
            self._rename(*line['moved'])
        elif line.get('root') is not None:
            self.roots[line['group']] = line['root']
        elif 'group' in line:
            self.roots.pop(line['group'], None)

    def _rename(self, old: str, new: str) -> None:
        moved = [path for path in self.entries if path == old or path.startswith(old + '/')]
        for path in moved:
            self.entries[new + path[len(old) :]] = self.entries.pop(path)
            if path in self._files:
                self._files[new + path[len(old) :]] = self._files.pop(path)

    # -- writing --------------------------------------------------------------------------------------------

    def add(self, path: str, entry: Entry, files: Mapping[str, str]) -> None:
        """Note that a folder, or a link, is complete."""
        line: dict[str, Any] = {'folder': path}
        line |= {name: getattr(entry, name) for name in TOLD}
        if entry.target is not None:
            line['target'] = entry.target
        self.entries[path] = entry
        if not self._read_only:
            self._files[path] = dict(files)
            self._append({**line, 'files': dict(files)}, entry)

    def remove(self, path: str) -> None:
        """Note that a folder, or a link, is gone."""
        del self.entries[path]
        self._files.pop(path, None)
        self._append({'removed': path})

    def move(self, old: str, new: str) -> None:
        """Note that a folder, with those in it, has another name."""
        self._rename(old, new)
        self._append({'moved': [old, new]})

    def set_root(self, group: str, root: str) -> None:
        """Note where the folders of a group lie."""
        if self.roots.get(group) != root:
            self.roots[group] = root
            self._append({'group': group, 'root': root})

    def forget_root(self, group: str) -> None:
        """Note that a group is gone."""
        self.roots.pop(group, None)
        self._append({'group': group, 'root': None})

    def flush(self, now: bool = True) -> None:
        """Append what is new, after what it speaks of is on disk.

        :param now: even if the last time was only seconds ago.
        """
        due = now or len(self._pending) >= _MOST_PENDING or time.monotonic() >= self._next_flush
        if not due or not self._pending:
            return
        if hasattr(os, 'sync'):
            os.sync()
        if not self._end:
            self._pending.insert(0, (json.dumps(self._header) + '\n', None))
        with self._folder.folder('') as folder:
            descriptor = open_regular(LOG, folder, os.O_RDWR | os.O_CREAT)
        with os.fdopen(descriptor, 'r+b') as handle:
            handle.seek(self._end)
            handle.truncate()  # a line that a crash has torn
            for line, entry in self._pending:
                data = line.encode()
                if entry is not None:
                    entry.offset = self._end
                handle.write(data)
                self._end += len(data)
            handle.flush()
            os.fsync(handle.fileno())
        self._lines += len(self._pending)
        self._pending.clear()
        self._files.clear()
        self._next_flush = time.monotonic() + _FLUSH_EVERY

    def _append(self, line: Mapping[str, Any], entry: Entry | None = None) -> None:
        if not self._read_only:
            self._pending.append((json.dumps(line, ensure_ascii=True) + '\n', entry))

    def close(self) -> None:
        """Append what is new; replace the log, whole or not at all, if half of its lines are out of date."""
        self.flush()
        live = len(self.entries) + len(self.roots) + 1
        if self._read_only or self._lines <= 2 * live + 100:
            return
        with self._folder.folder('') as folder:
            with suppress(FileNotFoundError):
                os.unlink(LOG_DRAFT, dir_fd=folder)
            descriptor = os.open(LOG_DRAFT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
            with os.fdopen(descriptor, 'wb', buffering=1 << 20) as handle:
                for line in self._live_lines():
                    handle.write((json.dumps(line) + '\n').encode())
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(LOG_DRAFT, LOG, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def _live_lines(self) -> Iterator[Mapping[str, Any]]:
        yield self._header
        yield from ({'group': group, 'root': root} for group, root in self.roots.items())
        for path, entry in self.entries.items():
            line = {'folder': path}
            line |= {name: getattr(entry, name) for name in TOLD}
            yield {**line, **({'target': entry.target} if entry.target else {}), 'files': self.files(path)}


def _line(handle: BinaryIO) -> bytes:
    """The next line with its end; without, where it is torn or the last.

    :raises ricordi.services.dump.line.WrongLine: it has no end in sight.
    """
    line = handle.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise WrongLine(f'a line of the log of the dump is longer than {_LONGEST_LINE:,} bytes: {_WAY_OUT}')
    return line
