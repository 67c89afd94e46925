"""The container: a repository of objects as loose files and in packs, in the format of disk-objectstore 1.x."""

from __future__ import annotations

import hashlib
import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO

from ricordi.backend.maintenance import (
    CompressMode,
    Distrust,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    trusted,
)
from ricordi.backend.objects import HeldObject
from ricordi.backend.repository import FreeSpace, KnownObject, Owner, RepositoryBackend
from ricordi.backend.usage import ObjectSize
from ricordi.errors import CorruptStorage, InvalidOperation, NotExistent, PackerBusy
from ricordi.files import free_bytes, make_folders
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.repository.container.index import Index, PackedObject, not_existent
from ricordi.repository.container.layout import ContainerConfig
from ricordi.repository.container.loose import chunks_of, read_fully
from ricordi.repository.container.objects import IN_MEMORY_BYTES, ObjectStore

if TYPE_CHECKING:
    from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
    from ricordi.backend.verification import Finding
    from ricordi.backend.verification_report import Topic, VerificationState, VerifyOptions


class Container(ObjectStore, RepositoryBackend):
    """A repository in a folder. Opening it reads nothing; each use says what is wrong with the folder, if anything."""

    @property
    def uuid(self) -> str | None:
        return self.config.container_id

    @property
    def is_initialised(self) -> bool:
        return self.layout.config.is_file()

    def initialise(self, **kwargs: Any) -> None:
        """Create the container. `pack_size_target` (bytes), `loose_prefix_len` and `identifier` may be given.

        `config.json` comes last: until then there is no container, only what the next creation takes away. If it fails,
        that goes at once.
        """
        from ricordi.repository.container.owner import is_debris, remove_debris

        layout = self.layout
        if self.is_initialised:
            raise InvalidOperation(f'there is a container in {layout.folder} already')
        config = ContainerConfig.new(**kwargs)
        made = make_folders(layout.folder)
        try:
            if not is_debris(layout):
                raise InvalidOperation(f'cannot create a container in {layout.folder}: the folder is not empty')
            remove_debris(layout, [])
            layout.make_subfolders()
            Index.create(layout.index)
            layout.write_config(config)
        except BaseException:
            if not self.is_initialised and is_debris(layout):
                remove_debris(layout, made)
            raise

    keeps_owner = True

    @property
    def owner(self) -> Owner | None:
        from ricordi.repository.container.owner import read_owner

        return read_owner(self.layout)

    def set_owner(self, owner: Owner | None) -> None:
        from ricordi.repository.container.owner import write_owner

        write_owner(self.layout, owner)

    @property
    def holds_objects(self) -> bool:
        from ricordi.repository.container.owner import has_object_files

        return has_object_files(self.layout)

    def complete(self) -> None:
        top = self.layout.opened.top
        for name in top.names():
            if name.startswith(f'.{self.layout.config.name}.'):
                top.unlink(name, missing_ok=True)
        self.layout.make_subfolders()
        Index.create(self.layout.index)
        top.sync()

    def erase(self) -> None:
        from ricordi.repository.container.erasing import erase_container

        self.close()
        erase_container(self.layout)
        self._config = None

    # -- writing ----------------------------------------------------------------------------------------------

    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        head = read_fully(handle, IN_MEMORY_BYTES)
        if len(head) < IN_MEMORY_BYTES:
            return self.put_object_from_bytes(head)
        writer = self.loose_writer()
        temporary, key = writer.stage(_chained(head, handle))
        try:
            if self.is_packed_and_sound(key):
                writer.discard(temporary)
            else:
                writer.publish(temporary, key)
        except BaseException:
            writer.discard(temporary)
            raise
        return key

    def put_object_from_bytes(self, content: bytes) -> str:
        key = hashlib.sha256(content).hexdigest()
        if not self.is_packed_and_sound(key):
            self.loose_writer().write([content], key)
        return key

    def put_objects(self, contents: Iterable[bytes | BinaryIO]) -> list[str]:
        """Store many at once: straight into a pack, or as loose files while another process packs."""
        from ricordi.repository.container.packer_lock import packer_lock

        with ExitStack() as stack:
            try:
                stack.enter_context(packer_lock(self.layout))
            except PackerBusy:
                return super().put_objects(contents)
            return self._put_into_pack(contents, 'no')

    def put_objects_into_pack(self, contents: Iterable[bytes | BinaryIO], compress: CompressMode = 'no') -> list[str]:
        """Store many objects straight into a pack, durable together on return; the keys come in order.

        :param compress: as in maintenance; `keep` means `no` here.
        :raises ricordi.errors.PackerBusy: another process packs.
        """
        from ricordi.repository.container.packer_lock import packer_lock

        with packer_lock(self.layout):
            return self._put_into_pack(contents, compress)

    def _put_into_pack(self, contents: Iterable[bytes | BinaryIO], compress: CompressMode) -> list[str]:
        from ricordi.repository.container.bulk import put_into_packs

        return put_into_packs(self, contents, compress)

    def put_known_objects(
        self,
        objects: Callable[[], Iterable[KnownObject]],
        told: Callable[[int], None],
        unusable: Callable[[str, str], None] | None = None,
    ) -> None:
        """Store objects of which the keys are known: straight into packs, or as loose files while another packs.

        What is put into packs is in their catalogues at once: a backup repository may never see a maintenance.
        """
        from ricordi.repository.container.catalogue_draft import CatalogueDrafts
        from ricordi.repository.container.known import put_known_into_packs
        from ricordi.repository.container.packer_lock import packer_lock

        was_empty = self.index.is_empty
        try:
            limits = self.limits.of_first_filling if was_empty else self.limits
            with packer_lock(self.layout), CatalogueDrafts(self.layout, anew=was_empty) as drafts:
                put_known_into_packs(self, objects(), told, unusable, limits, drafts)
        except PackerBusy:  # also where AiiDA packs, which knows nothing of that lock: it is met at the pack
            super().put_known_objects(objects, told, unusable)

    def known_objects(self, keys: Iterable[str]) -> Iterable[HeldObject]:
        """Objects as they lie: loose ones first, then pack by pack from front to back."""
        from ricordi.repository.container.held import ObjectsAsTheyLie

        return ObjectsAsTheyLie(self, keys)

    def content_bytes(self, keys: Iterable[str]) -> int:
        total, wanted = 0, iter(keys)
        while chunk := list(islice(wanted, self.limits.bulk_keys)):
            packed, size = self.index.content_bytes(chunk)
            total += size
            if packed < len(chunk):
                total += super().content_bytes(self._unpacked(chunk))
        return total

    def _unpacked(self, keys: list[str]) -> list[str]:
        packed = {*self._packed_keys(keys)}
        return [key for key in keys if key not in packed]

    def free_space(self) -> FreeSpace:
        return FreeSpace(free_bytes(self.layout.folder), str(self.layout.folder))

    def delete_objects(self, keys: Iterable[str]) -> None:
        """Remove objects, packed and loose. Only for a caller who holds the exclusive lock of the profile."""
        from ricordi.repository.container.packer_lock import packer_lock
        from ricordi.repository.maintenance.file_removal import remove_files

        wanted = [key for key in keys if is_key(key)]
        with packer_lock(self.layout):
            with self.index.transaction():
                self.index.delete(wanted)
            remove_files(map(self.loose_path, wanted))

    # -- reading ----------------------------------------------------------------------------------------------

    def get_object_size(self, key: str) -> int:
        for _ in range(2):
            try:
                return os.stat(self.loose_path(key)).st_size  # noqa: PTH116
            except FileNotFoundError:
                row = self.index.find(key)
            if row is not None:
                self.check_row(row)
                return row.size
        raise not_existent(key)

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        wanted = list(keys)
        found: set[str] = set()
        for step in (self._packed_keys, self._loose_keys, self._packed_keys):  # again: a packer may move some meanwhile
            found.update(step([key for key in wanted if key not in found]))
        return [key in found for key in wanted]

    def _packed_keys(self, keys: list[str]) -> Iterator[str]:
        """Those of the keys that have a place within a pack; content that went with its pack may be put anew."""
        rows = list(self.index.find_many(keys))
        ends = {pack_id: self._pack_bytes(pack_id) for pack_id in {row.pack_id for row in rows if row.is_possible}}
        return (row.key for row in rows if row.is_possible and row.offset + row.length <= ends[row.pack_id])

    def _pack_bytes(self, pack_id: int) -> int:
        """Of its file; that of one that is gone has none, not even an empty object."""
        try:
            return os.stat(self.layout.pack_path(pack_id)).st_size  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return -1

    def _loose_keys(self, keys: list[str]) -> Iterator[str]:
        return (key for key in keys if is_key(key) and os.path.exists(self.loose_path(key)))  # noqa: PTH110

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        wanted = iter(keys)
        while chunk := list(islice(wanted, self.limits.bulk_keys)):
            # those whose row says what cannot be have no order: one by one
            rows = {row.key: row for row in self.index.find_many(chunk) if row.is_possible}
            for key in chunk:
                if key not in rows:
                    with self.open(key) as handle:
                        yield key, handle
            for row in sorted(rows.values(), key=lambda row: (row.pack_id, row.offset)):
                with self._open_from(row) as handle:
                    yield row.key, handle

    def _open_from(self, row: PackedObject) -> BinaryIO:
        if row.size > IN_MEMORY_BYTES:
            return self.open(row.key)
        try:
            return self.open_packed(row)
        except (FileNotFoundError, CorruptStorage):
            return self.open(row.key)

    def list_objects(self) -> Iterator[str]:
        for first in '0123456789abcdef':
            # loose first: what a packer moves in between is found in the index then, not in neither
            loose = list(self.layout.loose_keys(self.config.loose_prefix_len, first))
            packed = self.index.keys(first)
            previous = ''
            for key in heapq.merge(loose, packed):
                if key != previous:
                    yield key
                previous = key

    # -- counting and maintenance -----------------------------------------------------------------------------

    def object_sizes(self) -> Iterator[ObjectSize]:
        from ricordi.repository.container.sizes import object_sizes

        return object_sizes(self)

    def sizes_of(self, keys: Iterable[str]) -> Iterator[ObjectSize]:
        from ricordi.repository.container.sizes import sizes_of

        return sizes_of(self, keys)

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Objects and bytes loose and packed, packs, waste; `detailed`: each pack."""
        from ricordi.repository.maintenance.inventory import count_container

        return count_container(self, detailed)

    def verify(
        self,
        options: VerifyOptions,
        named_keys: KeyStream,
        run: Run | None = None,
    ) -> Iterator[Finding | Topic]:
        from ricordi.repository.verification.container import verify_container

        return verify_container(self, options, named_keys, run or Run())

    def note_verified(self, findings: int, of_rows: int = 0) -> str:
        from ricordi.repository.verification.notes import notes_of

        notes = notes_of(self)
        notes.mark_structure(findings, of_rows)
        return notes.save()

    def verification_state(self) -> VerificationState | None:
        from ricordi.repository.verification.container import state_of
        from ricordi.repository.verification.notes import notes_of

        return state_of(self, notes_of(self))

    def damaged_objects(self) -> frozenset[str]:
        from ricordi.repository.verification.notes import notes_of

        noted = (key for key in notes_of(self).damaged if self.index.find(key) is not None)
        # a loose copy would be read before one that is put into a pack
        return frozenset(key for key in chain(noted, self._beyond_packs()) if not os.path.lexists(self.loose_path(key)))

    def _beyond_packs(self) -> Iterator[str]:
        """The keys of objects whose pack is gone, or ends before they do."""
        sizes = self.layout.pack_sizes()
        for pack_id, summary in self.index.packs().items():
            size = sizes.get(pack_id, 0)
            if summary.end > size:
                rows = self.index.objects_of_pack(pack_id)
                yield from (row.key for row in rows if row.offset + row.length > size)

    def forget_mended(self) -> int:
        from ricordi.repository.verification.notes import notes_of

        notes, mended = notes_of(self), 0
        for key in list(notes.damaged):
            with suppress(CorruptStorage, NotExistent, OSError):
                if self.get_object_hash(key) == key:
                    notes.remove_damaged(key)
                    mended += 1
        notes.save()
        return mended

    def estimated_count(self) -> int:
        from ricordi.repository.maintenance.estimate import estimated_count

        return estimated_count(self)

    def hidden_by_killed_repack(self) -> int:
        from ricordi.repository.maintenance.estimate import hidden_by_killed_repack

        return hidden_by_killed_repack(self)

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        run: Run | None = None,
        distrust: Distrust = trusted,
    ) -> MaintenanceReport:
        from ricordi.repository.maintenance.maintenance import maintain

        return maintain(self, options, named_keys, run or Run(), distrust)

    # -- repair -----------------------------------------------------------------------------------------------

    def keep_aside(self, name: str, pieces: Iterable[bytes]) -> str:
        from ricordi.repository.repair.aside import Aside

        return Aside(self.layout).keep(name, pieces)

    def settings_fault(self) -> str:
        from ricordi.repository.repair.settings import fault_of_settings

        return fault_of_settings(self.layout)

    def settings(self) -> bytes:
        return self.config.to_json()

    def restore_settings(self, uuid: str, alike: Sequence[RepositoryBackend]) -> None:
        from ricordi.repository.repair.settings import write_settings

        write_settings(self.layout, uuid, [other.settings() for other in alike if other.uuid == uuid])
        self._config = None

    def repair(
        self,
        order: RepairOrder,
        sources: Sequence[RepairSource],
        named_keys: KeyStream,
        run: Run | None = None,
    ) -> Iterator[Mending | SetAside]:
        from ricordi.repository.repair.container import repair_container

        return repair_container(self, order, sources, named_keys, run or Run())


def _chained(head: bytes, handle: BinaryIO) -> Iterator[bytes]:
    yield head
    yield from chunks_of(handle)
