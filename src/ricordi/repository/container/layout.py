"""Where things lie in a container folder, and its `config.json`. Facts: disk-objectstore's container version 1."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ricordi.errors import CorruptStorage, InvalidOperation, UnreachableStorage
from ricordi.files import new_file, read_regular
from ricordi.folders import KeptFolder, OpenFolder
from ricordi.remedies import Remedy

CONTAINER_VERSION = 1
LARGEST_CONFIG = 1 << 20
"""Bytes of the file; real ones have some two hundred."""
KEY_LENGTH = 64
EMPTY_KEY = hashlib.sha256(b'').hexdigest()
"""Of the object without content, which is whole wherever it is said to lie."""
REPACK_ID = -1
"""The pack number that disk-objectstore uses while it repacks; nothing keeps it for long unless a crash does."""


class ContainerConfig(NamedTuple):
    """What `config.json` of a container says.

    :param pack_size_target: bytes at which a pack counts as full.
    :param compression_algorithm: `zlib+<level>`.
    """

    container_version: int
    loose_prefix_len: int
    pack_size_target: int
    hash_type: str
    container_id: str
    compression_algorithm: str

    @classmethod
    def new(
        cls, loose_prefix_len: int = 2, pack_size_target: int = 4 * 1024**3, identifier: str | None = None
    ) -> ContainerConfig:
        """The configuration of a container that is about to be created."""
        identifier = identifier or uuid.uuid4().hex
        return cls(CONTAINER_VERSION, loose_prefix_len, pack_size_target, 'sha256', identifier, 'zlib+1')

    @classmethod
    def read(cls, path: Path) -> ContainerConfig:
        """Read and check the file.

        :raises ricordi.errors.UnreachableStorage: there is no such file, or it may not be read.
        :raises ricordi.errors.CorruptStorage: it is not what a container of version 1 has.
        """
        try:
            content = json.loads(read_regular(path, LARGEST_CONFIG))
        except FileNotFoundError:
            raise UnreachableStorage(
                f'no object container in {path.parent}: {path.name} is not there; '
                'check the path in the profile, or that the disk is mounted'
            ) from None
        except OSError as error:
            raise UnreachableStorage(f'cannot read {path}: {error.strerror}; check the permissions') from None
        except (ValueError, RecursionError) as error:
            raise CorruptStorage(
                f'{path} is not JSON ({error}); restore it from a backup',
                remedy=Remedy('repair storage', (str(path.parent),)),
            ) from None
        return cls._checked(content, path)

    @classmethod
    def _checked(cls, content: object, path: Path) -> ContainerConfig:
        try:
            assert isinstance(content, dict)
            config = cls(**{name: content[name] for name in cls._fields})
            level = int(config.compression_algorithm.removeprefix('zlib+'))
            numbers = (config.loose_prefix_len, config.pack_size_target)
            sound = all(type(number) is int for number in numbers) and isinstance(config.container_id, str)
            sound = (
                sound and 0 <= config.loose_prefix_len < KEY_LENGTH and config.pack_size_target > 0 and 0 <= level <= 9
            )
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError):
            sound = False
        if not sound:
            raise CorruptStorage(
                f'{path} lacks what a container needs, or holds wrong values; restore it from a backup',
                remedy=Remedy('repair storage', (str(path.parent),)),
            )
        if config.container_version != CONTAINER_VERSION:
            raise CorruptStorage(
                f'the container in {path.parent} has version {config.container_version}; '
                f'this program knows version {CONTAINER_VERSION}: use a newer Ricordi'
            )
        if config.hash_type != 'sha256':
            raise CorruptStorage(f'the container in {path.parent} names objects by {config.hash_type}, not sha256')
        return config

    @property
    def compression_level(self) -> int:
        """Level for zlib, 0 to 9."""
        return int(self.compression_algorithm.removeprefix('zlib+'))

    def to_json(self) -> bytes:
        """The content of `config.json`."""
        return json.dumps(self._asdict()).encode()


class OpenFolders:
    """The folders of one container, each held open from its first use on: all that is written goes by these.

    So root, at work in the container of a user, writes nothing elsewhere, whatever links that user puts into it.
    """

    def __init__(self, layout: Layout) -> None:
        places = (layout.folder, layout.loose, layout.packs, layout.sandbox, layout.duplicates)
        self._top, self._loose, self._packs, self._sandbox, self._duplicates = map(KeptFolder, places)
        self._catalogue, self._set_aside = map(KeptFolder, (layout.catalogue, layout.set_aside))

    @property
    def top(self) -> OpenFolder:
        """The folder of the container itself."""
        return self._top.now()

    @property
    def loose(self) -> OpenFolder:
        """Of the loose objects; made if it is missing."""
        return self._made(self._loose)

    @property
    def packs(self) -> OpenFolder:
        """Of the packs and their locks."""
        return self._packs.now()

    @property
    def sandbox(self) -> OpenFolder:
        """Of what is being written."""
        return self._sandbox.now()

    def for_an_object(self) -> tuple[OpenFolder, OpenFolder]:
        """Sandbox and loose objects, to write one: one look whether both are still in their places."""
        before, sandbox, loose = self._loose.held, self._sandbox.held, self.loose
        return (self.sandbox if sandbox is None or loose is not before else sandbox), loose

    @property
    def duplicates(self) -> OpenFolder:
        """Of second copies."""
        return self._duplicates.now()

    @property
    def catalogue(self) -> OpenFolder:
        """Of the catalogues; made if it is missing."""
        return self._made(self._catalogue)

    @property
    def set_aside(self) -> OpenFolder:
        """Of what a repair has put out of use; made if it is missing."""
        return self._made(self._set_aside)

    def _made(self, kept: KeptFolder) -> OpenFolder:
        try:
            return kept.now()
        except FileNotFoundError:
            with suppress(FileExistsError):
                self.top.make_folder(kept.path.name, None)
            return kept.now()

    def let_go(self) -> None:
        """Hold none of them any more, until the next use."""
        main = (self._top, self._loose, self._packs, self._sandbox, self._duplicates)
        for kept in (*main, self._catalogue, self._set_aside):
            kept.let_go()


class Layout:
    """The paths of one container, and its folders as far as they are held open."""

    def __init__(self, folder: Path) -> None:
        """
        :param folder: the container folder, which need not exist yet.
        """
        self.folder = folder
        self.config = folder / 'config.json'
        self.index = folder / 'packs.idx'
        self.loose = folder / 'loose'
        self.packs = folder / 'packs'
        self.sandbox = folder / 'sandbox'
        self.duplicates = folder / 'duplicates'
        self.catalogue = folder / 'catalogue'
        self.set_aside = folder / 'set-aside'
        self.packer_lock = folder / 'packer.lock'
        self.owner = folder / 'ricordi-database.json'
        self.verified = folder / 'ricordi-verified.json'
        self._loose_text = str(self.loose)
        self.opened = OpenFolders(self)

    @property
    def own_names(self) -> set[str]:
        """What lies in the folder of a container."""
        from ricordi.access.records import BARE_FOLDER
        from ricordi.access.storage_lock import GATE_NAME

        folders = (self.loose, self.packs, self.sandbox, self.duplicates, self.catalogue, self.set_aside)
        names = {path.name for path in (*folders, self.config, self.index, self.packer_lock, self.owner, self.verified)}
        names |= {f'{self.index.name}-wal', f'{self.index.name}-shm'}
        return names | {BARE_FOLDER, GATE_NAME}

    def make_subfolders(self) -> None:
        """Make the folders of a container inside its own, as far as they are missing."""
        top = self.opened.top
        for folder in (self.loose, self.packs, self.sandbox, self.duplicates):
            try:
                top.make_folder(folder.name, None)
            except FileExistsError:
                if not folder.is_dir():
                    raise

    def write_config(self, config: ContainerConfig) -> None:
        """Write `config.json`, durably. From then on there is a container: what belongs to one has to be there.

        :raises ricordi.errors.InvalidOperation: another process has just made one.
        """
        self.opened.top.sync()
        try:
            with new_file(self.config, mode=0o644) as handle:
                handle.write(config.to_json())
        except FileExistsError:
            raise InvalidOperation(f'another process has just created a container in {self.folder}') from None

    def loose_path(self, key: str, prefix_length: int) -> str:
        """Path of the loose file of `key` (text, since this is on the way of every read)."""
        if prefix_length:
            return f'{self._loose_text}/{key[:prefix_length]}/{key[prefix_length:]}'
        return f'{self._loose_text}/{key}'

    def pack_path(self, pack_id: int) -> Path:
        """Path of a pack file."""
        return self.packs / str(pack_id)

    def pack_sizes(self) -> dict[int, int]:
        """Bytes of each pack file that exists, by number; `-1` is the leftover of an aborted repack."""
        sizes = {}
        for entry in _entries(self.packs):
            if re.fullmatch(r'-1|\d+', entry.name):
                with suppress(FileNotFoundError):  # repacked meanwhile
                    sizes[int(entry.name)] = entry.stat().st_size
        return dict(sorted(sizes.items()))

    def pack_locks(self) -> list[Path]:
        """The lock files that packers of disk-objectstore, and ours, put beside packs."""
        named = (entry for entry in _entries(self.packs) if re.fullmatch(r'(-1|\d+)\.lock', entry.name))
        return sorted(Path(entry.path) for entry in named if entry.is_file(follow_symlinks=False))

    def loose_objects(self, prefix_length: int, first: str = '') -> Iterator[tuple[str, int]]:
        """Key and bytes of every loose object that begins with the hex digit `first`, or of every one, ascending.

        A file that vanishes meanwhile is passed over.
        """
        if not prefix_length:
            yield from ((key, size) for key, size in _sized(self._loose_text, '') if key.startswith(first))
            return
        for name in self._loose_folders(prefix_length):
            if name.startswith(first):
                yield from _sized(f'{self._loose_text}/{name}', name)

    def count_loose(self, prefix_length: int) -> int:
        """How many loose objects there are, going by their names alone: that takes half the time."""
        folders = [f'/{name}' for name in self._loose_folders(prefix_length)] if prefix_length else ['']
        return sum(len(_of_objects(_names(f'{self._loose_text}{name}'), prefix_length)) for name in folders)

    def estimate_loose(self, prefix_length: int, looked_into: int) -> int:
        """About how many loose objects there are, going by the names in so many of their folders."""
        if not prefix_length:
            return self.count_loose(prefix_length)
        folders = self._loose_folders(prefix_length)
        some = folders[:: max(1, len(folders) // looked_into)][:looked_into]
        found = sum(len(_of_objects(_names(f'{self._loose_text}/{name}'), prefix_length)) for name in some)
        return round(found * len(folders) / len(some)) if some else 0

    def loose_keys(self, prefix_length: int, first: str = '') -> Iterator[str]:
        """Key of every loose object that begins with the hex digit `first`, or of every one, ascending."""
        if not prefix_length:
            yield from (key for key in _named(self._loose_text, '') if key.startswith(first))
            return
        for name in self._loose_folders(prefix_length):
            if name.startswith(first):
                yield from _named(f'{self._loose_text}/{name}', name)

    def _loose_folders(self, prefix_length: int) -> list[str]:
        prefix = re.compile(f'[0-9a-f]{{{prefix_length}}}')
        return sorted(entry.name for entry in _entries(self.loose) if prefix.fullmatch(entry.name))

    def leftovers(self, folder: Path) -> list[os.DirEntry[str]]:
        """Files in `sandbox/` or `duplicates/`; none where the folder is missing."""
        return sorted(
            (entry for entry in _entries(folder) if entry.is_file(follow_symlinks=False)), key=lambda e: e.name
        )


@contextmanager
def _listing(folder: Path | str) -> Iterator[None]:
    """Around listing a folder; one that is not there is empty."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UnreachableStorage(f'cannot list {folder}: {error.strerror}; check the permissions') from None


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    with _listing(folder), os.scandir(folder) as entries:
        return list(entries)
    return []


def _names(folder: str) -> list[str]:
    with _listing(folder):
        return os.listdir(folder)  # noqa: PTH208
    return []


def _named(folder: str, prefix: str) -> Iterator[str]:
    entries = {entry.name: entry for entry in _entries(folder)}
    return iter(sorted([prefix + name for name in _of_objects([*entries], len(prefix)) if _may_be_read(entries[name])]))


def _of_objects(names: list[str], prefix_length: int) -> list[str]:
    """Those that are the rest of a key. Mostly all are, which takes half the time to see of all at once."""
    rest = f'[0-9a-f]{{{KEY_LENGTH - prefix_length}}}'
    if re.fullmatch(f'(?:{rest}/)*', ''.join([f'{name}/' for name in names])):
        return names
    return [name for name in names if re.fullmatch(rest, name)]


def _may_be_read(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file: what else has the name of an object is none, and a pipe would be waited for."""
    try:
        return entry.is_file()
    except OSError:  # a symbolic link that leads to itself
        return False


def _sized(folder: str, prefix: str) -> Iterator[tuple[str, int]]:
    for key in _named(folder, prefix):
        try:
            yield key, os.stat(f'{folder}/{key[len(prefix) :]}').st_size  # noqa: PTH116
        except FileNotFoundError:
            continue
