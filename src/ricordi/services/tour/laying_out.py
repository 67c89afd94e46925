"""The storage of the tour: one that AiiDA left in the middle of a repack, and much that is made on the spot."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from ricordi.config import Config, Profile, load_config
from ricordi.manager import storage_class, use_storage
from ricordi.orm.data.folder import FolderData
from ricordi.orm.nodes.storing import store_nodes
from ricordi.orm.users import User
from ricordi.repository.container.layout import ContainerConfig, Layout
from ricordi.services.nodes.delete import delete_nodes, plan_deletion

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

PROFILE = 'tour'
ARCHIVE = 'data/tour.tar.gz'
STORAGE_FOLDER = 'aborted_after_remove'
"""The name of the storage inside the archive."""
OUTPUT = 'aiida.out'


class TourSize(NamedTuple):
    """How much is made on the spot.

    :param packed: nodes whose outputs go straight into a pack.
    :param loose: nodes whose outputs stay files of their own.
    :param output_bytes: about the size of an output.
    :param deleted: of the nodes, one in so many is deleted again.
    :param tail_bytes: what a killed packing has left at the end of a pack.
    """

    packed: int = 800
    loose: int = 40
    output_bytes: int = 48_000
    deleted: int = 3
    tail_bytes: int = 6_000_000

    @classmethod
    def of(cls, nodes: int) -> TourSize:
        """So many nodes, and of all else what goes with them."""
        loose = min(cls().loose, nodes // 5)
        return cls(nodes - loose, loose, tail_bytes=nodes * cls().output_bytes // 7)


class Laid(NamedTuple):
    """A storage that was laid out.

    :param nodes: how many nodes were made on the spot.
    :param deleted: how many of these were deleted again.
    """

    profile: Profile
    nodes: int
    deleted: int


def lay_out(folder: Path, size: TourSize) -> Laid:
    """Unpack the storage, make a configuration folder of its own around it, and let bad days come over it.

    :param folder: an empty folder; the configuration folder becomes its subfolder `.aiida`.
    """
    config = _unpacked(folder)
    profile = config.get_profile(PROFILE)
    with use_storage(profile, purpose='tour') as storage:
        pks = _run_calculations(storage, size)
        gone = pks[:: size.deleted]
        delete_nodes(storage, plan_deletion(storage, gone))
    _kill_a_packing(_layout(profile), size.tail_bytes)
    return Laid(profile, len(pks), len(gone))


def damage(profile: Profile) -> None:
    """Change one byte of a loose output that a node names, as a failing disk does."""
    layout = _layout(profile)
    prefix = ContainerConfig.read(layout.config).loose_prefix_len
    with use_storage(profile, purpose='tour') as storage:
        named = set(storage.named_keys())
    key, count = max(
        (found for found in layout.loose_objects(prefix) if found[0] in named), key=lambda found: found[::-1]
    )
    path = Path(layout.loose_path(key, prefix))
    content = bytearray(path.read_bytes())
    content[count // 2] ^= 1
    path.chmod(0o600)  # objects can only be read
    path.write_bytes(content)


def _unpacked(folder: Path) -> Config:
    config = load_config(create=True, folder=folder / '.aiida')
    repository = Path(config.dirpath) / 'repository'
    with files('ricordi.services').joinpath(ARCHIVE).open('rb') as packed, tarfile.open(fileobj=packed) as tar:
        # An argument `filter` is refused by Python before 3.11.4; the attribute does no harm there.
        tar.extraction_filter = getattr(tarfile, 'data_filter', None)
        tar.extractall(repository)
    config.create_profile(PROFILE, 'core.sqlite_dos', {'filepath': str(repository / STORAGE_FOLDER)})
    config.set_default_profile(PROFILE)
    return config.store()


def _layout(profile: Profile) -> Layout:
    location = storage_class(profile).repository_location(profile)
    assert location.path is not None
    return Layout(location.path)


def _run_calculations(storage: StorageBackend, size: TourSize) -> list[int]:
    """Store nodes with outputs such as calculations leave; returns their pks."""
    owner = User.get_collection(storage).all()[0]
    outputs = _outputs(size)

    def run(count: int) -> list[FolderData]:
        made = []
        for output in (next(outputs) for _ in range(count)):
            node = FolderData(backend=storage, user=owner, label='retrieved')
            node.base.repository.put_object_from_bytes(output, OUTPUT)
            made.append(node)
        return made

    packed, loose = run(size.packed), run(size.loose)
    store_nodes(packed)
    for node in loose:
        store_nodes([node])
    return sorted(node.pk for node in (*packed, *loose) if node.pk is not None)


def _outputs(size: TourSize) -> Iterator[bytes]:
    """Texts like those of calculations, the same ones each time, no two alike."""
    random = Random(1867)
    lines = [
        f'     iteration # {step % 40:3d}     total energy = {random.uniform(-900, -100):16.8f} Ry'
        f'     estimated accuracy < {random.random():.8f} Ry\n'
        for step in range(4000)
    ]
    count = max(1, size.output_bytes // len(lines[0]))
    for number in range(size.packed + size.loose):
        yield (f'     Calculation {number}\n' + ''.join(random.choices(lines, k=count))).encode()


def _kill_a_packing(layout: Layout, count: int) -> None:
    """Leave at the end of a pack what a packer has written that was killed before its rows were committed."""
    pack = max(layout.pack_sizes())
    with layout.pack_path(pack).open('ab') as handle:
        handle.write(Random(pack).randbytes(count))
