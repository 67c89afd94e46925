"""Catalogues: beside each pack a list of what lies where in it, from which `packs.idx` can be made anew.

A catalogue is written after the rows that it repeats were committed, and replaced as a whole. It may be behind: others
pack too, and AiiDA's repack puts another file in the place of a pack. So nothing in it is believed before the bytes
were read and their SHA-256 is the key. The form is described in `docs/formats/repository.md`.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from struct import Struct
from typing import BinaryIO, NamedTuple

from ricordi.files import file_identity, is_same_file
from ricordi.model.file_trees import is_key
from ricordi.repository.container.index import PackedObject, PackSummary
from ricordi.repository.container.layout import Layout
from ricordi.repository.container.objects import ObjectStore

FORMAT = 'ricordi-catalogue'
VERSION = 1
LARGEST_HEAD = 4096
COMPRESSED = 1 << 63
"""The bit of `length` that says: it is a zlib stream."""
_RECORD = Struct('>32sQQQ')
_WRITE_AT_ONCE = 2000


class Kept(NamedTuple):
    """What was done to have all catalogues in step: how many were written, how many removed."""

    written: int = 0
    removed: int = 0


def keep_catalogues(store: ObjectStore, packs: Mapping[int, PackSummary], lacks_objects: bool = False) -> Kept:
    """Write the catalogues of those packs that have changed, and remove those of packs that are gone.

    For one who holds `packer_lock`. Of what has not changed only the first line is read.

    :param packs: what the index says of each pack that it names.
    :param lacks_objects: objects that nodes name are missing. Then a catalogue that knows more than the index stays:
        the index may have been lost, and begun anew by another program.
    :raises OSError: they cannot be written; those that are there stay as they are.
    :raises ricordi.errors.CorruptStorage: the rows of the index cannot be read.
    """
    layout = store.layout
    wanted = {pack_id: summary for pack_id, summary in packs.items() if pack_id >= 0 and summary.objects}
    written = 0
    for pack_id, summary in wanted.items():
        with suppress(FileNotFoundError):  # a pack that is gone: what its catalogue says may yet be of use
            identity = file_identity(layout.pack_path(pack_id))
            if must_be_written(layout, pack_id, summary, identity, lacks_objects):
                _write(store, pack_id, summary, identity)
                written += 1
    there = layout.pack_sizes()
    # not those of packs that no row names: without its rows a pack needs its catalogue most
    gone = [pack_id for pack_id in catalogued_packs(layout) if pack_id not in wanted and pack_id not in there]
    for pack_id in gone:
        layout.opened.catalogue.unlink(str(pack_id), missing_ok=True)
    return Kept(written, len(gone))


def catalogued_packs(layout: Layout) -> list[int]:
    """The numbers of the packs that have a catalogue."""
    try:
        names = os.listdir(layout.catalogue)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in names if name.isdecimal() and name.isascii())


def read_catalogue(layout: Layout, pack_id: int) -> Iterator[PackedObject]:
    """What the catalogue of a pack says; nothing where there is none, or none that can be read.

    None of it is proven: see the top of this file. What cannot be is left out.
    """
    if not layout.catalogue.is_dir():
        return
    try:
        handle = os.fdopen(layout.opened.catalogue.open(str(pack_id)), 'rb')
    except OSError:
        return
    with handle:
        if _head(handle, pack_id) is None:
            return
        with suppress(OSError):
            while piece := handle.read(_RECORD.size * _WRITE_AT_ONCE):
                whole = len(piece) - len(piece) % _RECORD.size
                for key, offset, length, size in _RECORD.iter_unpack(piece[:whole]):
                    row = PackedObject(key.hex(), int(length >= COMPRESSED), size, offset, length % COMPRESSED, pack_id)
                    if row.is_possible:
                        yield row


def at_its_end(layout: Layout, pack_id: int) -> BinaryIO | None:
    """The catalogue of a pack, to be written on at its end; None where there is none of this form.

    A record that was cut there is written over. For one who holds `packer_lock`.
    """
    try:
        handle = os.fdopen(layout.opened.catalogue.open(str(pack_id), os.O_RDWR), 'r+b')
    except OSError:
        return None
    if _head(handle, pack_id) is None:
        handle.close()
        return None
    begin, end = handle.tell(), handle.seek(0, os.SEEK_END)
    handle.seek(end - (end - begin) % _RECORD.size)
    return handle


def _head(handle: BinaryIO, pack_id: int) -> dict[str, object] | None:
    """The first line of a catalogue; None where it is not that of this pack, in this form."""
    try:
        head = json.loads(handle.readline(LARGEST_HEAD))
    except (OSError, ValueError, RecursionError):
        return None
    expected = {'format': FORMAT, 'version': VERSION, 'pack': pack_id}
    is_ours = isinstance(head, dict) and all(head.get(name) == value for name, value in expected.items())
    return head if is_ours else None


def must_be_written(layout: Layout, pack_id: int, summary: PackSummary, identity: str, lacks_objects: bool) -> bool:
    """Whether a pack has no catalogue that says what the index says of this file.

    :param summary: what the index says.
    :param identity: of the file.
    :param lacks_objects: as of `keep_catalogues`.
    """
    try:
        handle = os.fdopen(layout.opened.catalogue.open(str(pack_id)), 'rb')
    except OSError:
        return True
    with handle:
        head = _head(handle, pack_id)
        records = (os.fstat(handle.fileno()).st_size - handle.tell()) // _RECORD.size
    if head is None or not is_same_file(str(head.get('file')), identity):
        return True
    if lacks_objects and records > summary.objects:
        return False
    in_step = all(head.get(name) == value for name, value in summary._asdict().items())
    return not in_step or records != summary.objects


def _write(store: ObjectStore, pack_id: int, summary: PackSummary, identity: str) -> None:
    """Replace the catalogue of a pack, whole and durably."""
    sandbox, catalogue = store.layout.opened.sandbox, store.layout.opened.catalogue
    draft = uuid.uuid4().hex  # of a process that is killed, full maintenance removes it from the sandbox
    try:
        with os.fdopen(sandbox.create(draft, 0o666), 'wb') as handle:
            handle.write(head_line(pack_id, summary, identity))
            rows = store.index.objects_of_pack(pack_id)
            while some := list(islice(rows, _WRITE_AT_ONCE)):
                handle.write(b''.join(records_of(some)))
            handle.flush()
            os.fsync(handle.fileno())
        # Its content is on disk before it has the name: a crash leaves the old catalogue, or the new one.
        sandbox.replace(draft, str(pack_id), catalogue)
    except BaseException:
        with suppress(OSError):
            sandbox.unlink(draft)
        raise
    catalogue.sync()


def head_line(pack_id: int, summary: PackSummary, identity: str, length: int = 0) -> bytes:
    """The first line of a catalogue, with spaces at its end if it would have fewer bytes than `length`."""
    head = {'format': FORMAT, 'version': VERSION, 'pack': pack_id, 'file': identity, **summary._asdict()}
    return json.dumps(head).encode().ljust(length - 1) + b'\n'


def records_of(rows: list[PackedObject]) -> list[bytes]:
    """What a catalogue says of some rows."""
    pack, digest = _RECORD.pack, bytes.fromhex
    return [
        pack(digest(key), offset, length | (COMPRESSED if compressed else 0), size)
        for key, compressed, size, offset, length, _ in rows
        if is_key(key)
    ]
