"""The plan of a maintenance: what is to be done in a container, step by step, with bytes. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ricordi.backend.maintenance import Amount, CompressMode, MaintenanceOptions, MaintenanceStep
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.maintenance.inventory import Inventory, PackInventory
from ricordi.repository.maintenance.known_damage import NO_DAMAGE, KnownDamage
from ricordi.repository.maintenance.recovery import Leftovers, find_leftovers
from ricordi.repository.maintenance.space import LEAST_JOURNAL_BYTES, Balance, Packing, repack_needs, vacuum_needs

SMALL_PACK_SHARE = 0.25
"""Of two or more packs below this share of the target size, `auto` makes one."""
VACUUM_SHARE = 0.1
VACUUM_LEAST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and with what.

    :param repack: packs to be rewritten, but those that turn out to be as they should.
    :param check_first: those of `repack` that may be, which only reading them tells.
    :param unchanged: those of `check_first` that are, unless an object in them is damaged.
    :param space_needed: bytes of free disk with which all of it can be done, one step after the other.
    :param packing: how much there is to pack.
    :param kept: packs that are not rewritten, and would be if nothing in them were damaged.
    """

    leftovers: Leftovers
    remove_garbage: bool
    repack: tuple[int, ...]
    check_first: frozenset[int]
    unchanged: frozenset[int]
    steps: tuple[MaintenanceStep, ...]
    space_needed: int
    packing: Packing
    vacuum: MaintenanceStep | None
    kept: tuple[int, ...] = ()


def make_plan(
    container: ObjectStore, inventory: Inventory, options: MaintenanceOptions, known: KnownDamage = NO_DAMAGE
) -> Plan:
    """What a maintenance with these options would do, step by step, with bytes.

    :param known: what is known to be damaged, and so stays where it is: the file of its pack, too.
    """
    may_remove = inventory.may_remove(options)
    repack = _packs_to_repack(container, inventory, options, known.packs) if may_remove else ()
    wanted = _packs_to_repack(container, inventory, options) if may_remove and known.packs else repack
    check_first = _packs_to_check_first(container, inventory, options, repack)
    unchanged = frozenset(
        pack_id for pack_id in check_first if _keeps_forms(inventory.packs[pack_id], options.compress)
    )
    rewritten = tuple(pack_id for pack_id in repack if pack_id not in unchanged)
    leftovers = find_leftovers(container, inventory, options.full, may_remove, {*rewritten, *known.packs})
    steps: list[MaintenanceStep] = []
    if leftovers.items:
        steps.append(MaintenanceStep('recover', leftovers.describe(), leftovers.items, freed=leftovers.freed))
    garbage_loose = inventory.loose_garbage if may_remove else Amount()
    # What frees room comes first: what follows may need it.
    packed_garbage = sum(pack.garbage.objects for pack in inventory.packs.values()) if may_remove else 0
    if packed_garbage or garbage_loose.objects:
        number = packed_garbage + garbage_loose.objects
        detail = f'{number:,} {_objects(number)} removed that no node names'
        freed = garbage_loose.bytes + inventory.freed_with_garbage(repack)
        steps.append(MaintenanceStep('remove garbage', detail, number, freed=freed))
    to_pack = inventory.loose.objects - garbage_loose.objects - known.loose.objects
    bytes_to_pack = inventory.loose.bytes - garbage_loose.bytes - known.loose.bytes
    packing = Packing(to_pack, bytes_to_pack, inventory.largest_loose)
    if to_pack:
        detail = f'{to_pack:,} loose {_objects(to_pack)} into packs'
        twice = inventory.loose_and_packed().bytes
        steps.append(MaintenanceStep('pack', detail, to_pack, packing.bytes, packing.bytes - twice, twice))
    steps.extend(_repack_steps(inventory, repack, unchanged))
    vacuum = _vacuum_step(container, packed_garbage) if options.full else None
    if vacuum is not None:
        steps.append(vacuum)
    parts = (leftovers, may_remove, repack, check_first, unchanged, tuple(steps))
    space = _space_needed(container, inventory, leftovers, may_remove, rewritten, options.compress, packing, vacuum)
    kept = tuple(pack_id for pack_id in wanted if pack_id in known.packs)
    return Plan(*parts, space, packing, vacuum, kept)


def removes_garbage(inventory: Inventory, options: MaintenanceOptions) -> bool:
    """Whether there is anything that a maintenance with these options would remove for want of a name."""
    garbage = inventory.loose_garbage.objects or any(pack.garbage.objects for pack in inventory.packs.values())
    return bool(garbage) and inventory.may_remove(options)


def _packs_to_repack(
    container: ObjectStore, inventory: Inventory, options: MaintenanceOptions, but: Collection[int] = ()
) -> tuple[int, ...]:
    live = {
        pack.pack_id: pack.length - pack.garbage.bytes
        for pack in inventory.packs.values()
        if pack.objects > pack.garbage.objects and pack.file_bytes is not None and pack.pack_id not in but
    }
    if options.repack == 'none':
        return ()
    if options.repack == 'all':
        return tuple(live)
    wasteful = {
        pack_id
        for pack_id, length in live.items()
        if (waste := min(inventory.packs[pack_id].end, inventory.packs[pack_id].file_bytes or 0) - length) > 0
        and waste * 100 > options.max_waste * (length + waste)
    }
    small = {
        pack_id
        for pack_id, length in live.items()
        if pack_id not in wasteful and length < SMALL_PACK_SHARE * container.config.pack_size_target
    }
    return tuple(pack_id for pack_id in live if pack_id in wasteful or (len(small) > 1 and pack_id in small))


def _packs_to_check_first(
    container: ObjectStore, inventory: Inventory, options: MaintenanceOptions, repack: tuple[int, ...]
) -> frozenset[int]:
    """Those packs of which rewriting might give the very same bytes, since there is nothing unnamed in them.

    Not so where packs are small and more than one: these are to become one.
    """
    packs = [inventory.packs[pack_id] for pack_id in repack] if options.repack == 'all' else []
    small = {pack.pack_id for pack in packs if pack.length < SMALL_PACK_SHARE * container.config.pack_size_target}
    return frozenset(
        pack.pack_id
        for pack in packs
        if pack.is_gapless and not pack.garbage.objects and not (len(small) > 1 and pack.pack_id in small)
    )


def _keeps_forms(pack: PackInventory, mode: CompressMode) -> bool:
    """Whether it is certain, without a look at them, that all objects of a pack keep the form they have."""
    return (
        mode == 'keep' or (mode == 'no' and not pack.compressed) or (mode == 'yes' and pack.compressed == pack.objects)
    )


def _repack_steps(
    inventory: Inventory, repack: tuple[int, ...], unchanged: frozenset[int]
) -> Iterator[MaintenanceStep]:
    if not repack:
        return
    packs = [inventory.packs[pack_id] for pack_id in repack]
    objects = sum(pack.objects - pack.garbage.objects for pack in packs)
    length = sum(pack.length - pack.garbage.bytes for pack in packs)
    freed = max(0, sum(pack.file_bytes or 0 for pack in packs) - length)
    rewritten = len(packs) - len(unchanged)
    written = length - sum(inventory.packs[pack_id].length for pack_id in unchanged)
    yield MaintenanceStep('repack', packs_in_words(rewritten, len(unchanged)), objects, length, written, freed)


def packs_in_words(rewritten: int, checked: int, kept: int = 0) -> str:
    """What a repack comes to.

    :param kept: packs that are as they were, since something in them is damaged.
    """
    parts = [
        f'{rewritten} {"pack" if rewritten == 1 else "packs"} rewritten' if rewritten else '',
        f'{checked} without waste read and checked' if checked else '',
        f'{kept} left as {"it is" if kept == 1 else "they are"}, with damaged objects' if kept else '',
    ]
    return ', '.join(part for part in parts if part)


def _vacuum_step(container: ObjectStore, rows_to_delete: int) -> MaintenanceStep | None:
    free, pages, page_bytes = container.index.free_pages()
    rows = container.index.count()
    gain = free * page_bytes + (pages * page_bytes * rows_to_delete // rows if rows else 0)
    if gain < VACUUM_LEAST_BYTES or gain < VACUUM_SHARE * pages * page_bytes:
        return None
    size = pages * page_bytes
    return MaintenanceStep('vacuum index', 'unused pages of packs.idx', 0, size, size - gain, gain)


def _space_needed(
    container: ObjectStore,
    inventory: Inventory,
    leftovers: Leftovers,
    may_remove: bool,
    repack: tuple[int, ...],
    compress: CompressMode,
    packing: Packing,
    vacuum: MaintenanceStep | None,
) -> int:
    """The most free disk that is asked for at any moment, with what was given back until then counted in."""
    balance = Balance()
    balance.add(0, leftovers.freed)
    if may_remove:
        balance.add(0, inventory.loose_garbage.bytes)
        rows = sum(pack.garbage.objects for pack in inventory.packs.values())
        going = [pack for pack in inventory.packs.values() if pack.objects and pack.objects == pack.garbage.objects]
        balance.add(LEAST_JOURNAL_BYTES if rows else 0, sum(pack.file_bytes or 0 for pack in going))
    if packing.objects:
        balance.add(packing.needs())
    for pack in (inventory.packs[pack_id] for pack_id in repack):
        live = pack.length - pack.garbage.bytes
        balance.add(repack_needs(pack, compress), max(0, (pack.file_bytes or 0) - live))
    if vacuum is not None:
        balance.add(vacuum_needs(container.layout.index, vacuum.write), vacuum.freed)
    return balance.needed


def _objects(number: int) -> str:
    return 'object' if number == 1 else 'objects'
