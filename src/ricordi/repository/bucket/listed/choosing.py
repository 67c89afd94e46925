"""Which packs of a store of backups could go, and what that would come to: nothing is changed here.

A pack goes if nothing or little of it is named, if it is one of many small ones, or if it does not tell what is in it
and nothing that is named can be there alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from uuid import UUID

from ricordi.backend.maintenance import Amount, ContainerState, KeyStream, MaintenanceStep
from ricordi.repository.bucket.counting import counted
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.listed.catalogue import VARIABLES, PackInBucket

if TYPE_CHECKING:
    from ricordi.repository.bucket.listed.repository import ListedRepository

LITTLE = 0.5
"""A pack is written anew if less than this share of it is named."""
Item = TypeVar('Item')


class NamedInPack(NamedTuple):
    """What of a pack is named. Bytes as they lie there."""

    objects: int = 0
    bytes: int = 0
    named: int = 0
    named_bytes: int = 0


@dataclass(frozen=True, slots=True)
class GoingPacks:
    """Packs that could go.

    :param empty: of which nothing is named.
    :param wasteful: of which what is named is to be written anew first.
    :param small: those of the wasteful ones that are so for being small alone.
    :param blind: that do not tell what is in them, and in which nothing named is for all that is known.
    :param unread: that stay, and have to be read before blind ones may go.
    """

    empty: list[UUID]
    wasteful: list[UUID]
    small: list[UUID]
    blind: list[UUID]
    unread: list[UUID]

    @property
    def all(self) -> dict[UUID, None]:
        """Those that could go, each once, in the order in which they are given up."""
        return dict.fromkeys((*self.empty, *self.wasteful, *self.blind))


class PackChoice:
    """What is named of which pack, as of each time that it is asked."""

    def __init__(self, repository: ListedRepository, named_keys: KeyStream) -> None:
        self._repository = repository
        self._catalogue = repository.catalogue
        self._named_keys = named_keys
        self._uses: dict[UUID, NamedInPack] = {}
        self._stuck: set[UUID] = set()
        """Packs with a damaged copy of something that is named and that no other pack has."""
        self._with_damage: set[UUID] = set()

    def with_names(self) -> Iterator[tuple[Placement, bool]]:
        """Every copy of every object, and whether it is named by now."""
        keys = iter(self._named_keys())
        key = next(keys, None)
        for place in self._catalogue.placements():
            while key is not None and key < place.key:
                key = next(keys, None)
            yield place, key == place.key

    def named_hashes(self) -> Iterator[bytes]:
        """All that is named by now, ascending."""
        return (bytes.fromhex(key) for key in self._named_keys())

    def measure(self) -> None:
        """Look at all that is in packs and all that is named; asked before the rest."""
        uses = {pack: NamedInPack() for pack in self._catalogue.packs if pack not in self._catalogue.unreadable}
        bad = {(hash, pack) for hash, pack, _, is_bad in self._catalogue.copy_notes() if is_bad}
        for place, is_named in self.with_names():
            assert place.pack is not None
            if (place.hash, place.pack) in bad:
                is_stuck = is_named and not self._catalogue.known([place.hash])
                (self._stuck if is_stuck else self._with_damage).add(place.pack)
            use = uses.get(place.pack, NamedInPack())
            named = (1, place.stored) if is_named else (0, 0)
            uses[place.pack] = NamedInPack(
                use.objects + 1, use.bytes + place.stored, use.named + named[0], use.named_bytes + named[1]
            )
        self._uses = uses

    @property
    def state(self) -> ContainerState:
        """What there is."""
        uses, sizes = self._uses.values(), self._catalogue.packs
        total = sum(use.bytes for use in uses)
        unnamed = [(use.objects - use.named, use.bytes - use.named_bytes) for use in uses]
        garbage = Amount(sum(count for count, _ in unnamed), sum(size for _, size in unnamed))
        return ContainerState(
            packed=Amount(sum(use.objects for use in uses), total),
            garbage=garbage,
            waste_bytes=max(0, sum(one.bytes for one in sizes.values()) - total),
            packs=len(sizes),
            files=len(sizes),
        )

    def going(self, now: datetime) -> GoingPacks:
        """Packs of which nothing or little is named, or that another run has marked and left.

        What was put lately may be a snapshot's that is being made.

        :param now: by the clock of the store.
        """
        blind = self._catalogue.without_list()
        is_lacking = bool(blind) and self._is_lacking(blind)
        # only now: to ask what is named is to look at the packs again
        grace, packs = self._repository.limits.leftover_seconds, self._catalogue.packs
        old = {pack for pack, one in packs.items() if (now - one.modified).total_seconds() >= grace}
        known = {pack: use for pack, use in self._uses.items() if pack in old}
        blind &= old
        empty = [pack for pack, use in known.items() if not use.named and pack not in blind]
        named = {pack: use for pack, use in known.items() if use.named and pack not in self._stuck}
        wasteful = [
            pack
            for pack, use in named.items()
            if packs[pack].is_going
            or pack in blind
            or pack in self._with_damage
            or use.named_bytes < LITTLE * use.bytes
        ]
        small = self._worth_merging([pack for pack in named if pack not in {*wasteful}])
        # blind ones of which something named is known are written anew first, and go as the others do
        going = GoingPacks(empty, wasteful + small, small, [] if is_lacking else sorted(blind), [])
        return replace(going, unread=self._unread(going)) if going.blind else going

    def _unread(self, going: GoingPacks) -> list[UUID]:
        done = {*self._catalogue.read_times(), *going.all}
        packs = self._catalogue.packs
        return [pack for pack, use in self._uses.items() if use.named and pack in packs and pack not in done]

    def _worth_merging(self, packs: list[UUID]) -> list[UUID]:
        """Packs that are small, where there are so many that it is worth it."""
        limits, sizes = self._repository.limits, self._catalogue.packs
        small = [pack for pack in packs if sizes[pack].bytes < limits.small_pack * limits.pack_bytes]
        return small if len(small) >= limits.merge_from else []

    def _is_lacking(self, blind: set[UUID]) -> bool:
        """Whether something is named that only these packs can have; what they are known to have is written anew."""
        for some in portions(self.named_hashes(), VARIABLES):
            there = self._catalogue.known(some)
            lacking = [hash for hash in some if hash not in there]
            copies = {place.hash for hash in lacking for place in self._catalogue.copies(hash) if place.pack in blind}
            if len(copies) < len(lacking):
                return True
        return False

    def steps(self, going: GoingPacks) -> Iterator[MaintenanceStep]:
        """What it would come to that these go."""
        sizes = self._catalogue.packs
        small = {*going.small}
        for packs, reason in (
            ([pack for pack in going.wasteful if pack not in small], 'of which little is named, or damaged,'),
            (going.small, 'that are small'),
        ):
            if not packs:
                continue
            uses = [self._uses[pack] for pack in packs]
            size = sum(use.named_bytes for use in uses)
            yield MaintenanceStep(
                'repack',
                f'{counted(len(uses))} {reason} {"are" if len(uses) > 1 else "is"} written anew',
                sum(use.named for use in uses),
                read=size,
                write=size,
                freed=bytes_of(sizes, packs) - size,
            )
        if going.empty:
            objects, freed = sum(self._uses[pack].objects for pack in going.empty), bytes_of(sizes, going.empty)
            yield MaintenanceStep('remove packs', f'{counted(len(going.empty))} without names', objects, freed=freed)
        if going.unread:
            detail = f'{counted(len(going.unread))}, so that damaged ones are not needed for certain'
            yield MaintenanceStep('read packs', detail, read=bytes_of(sizes, going.unread))
        if going.blind:
            alone = [pack for pack in going.blind if pack not in {*going.wasteful}]
            detail = f'{counted(len(going.blind), "damaged pack")}, of which nobody knows what is in it'
            yield MaintenanceStep('remove packs', detail, freed=bytes_of(sizes, alone))


def bytes_of(sizes: Mapping[UUID, PackInBucket], packs: Iterable[UUID]) -> int:
    """Bytes of packs together."""
    return sum(sizes[pack].bytes for pack in packs)


def portions(items: Iterable[Item], at_once: int) -> Iterator[list[Item]]:
    """Lists of so many items, the last of fewer."""
    source = iter(items)
    while some := list(islice(source, at_once)):
        yield some
