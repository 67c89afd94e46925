"""What is known to be damaged, whoever found it: looked at before a maintenance is planned, noted when it is done.

It is the note of the verifications, so that what a maintenance finds is known to those that verify and repair, and the
other way round.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ricordi.backend.maintenance import Amount, MaintenanceOptions
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.maintenance.inventory import Inventory
from ricordi.repository.maintenance.problems import Problems
from ricordi.repository.maintenance.recovery import file_has_key
from ricordi.repository.verification.copies import Copies
from ricordi.repository.verification.notes import Notes


class KnownDamage(NamedTuple):
    """Objects that are known not to be what their keys say, and that stay.

    :param loose: what of them lies loose, and is not packed.
    :param packs: in which others of them lie.
    """

    loose: Amount = Amount()
    packs: frozenset[int] = frozenset()


NO_DAMAGE = KnownDamage()


def look_at_suspects(
    container: ObjectStore, inventory: Inventory, options: MaintenanceOptions, notes: Notes, problems: Problems
) -> KnownDamage:
    """Read what was found damaged once; what still is, and does not go as garbage, is a problem."""
    objects = size = 0
    packs = set()
    for key in dict.fromkeys((*options.suspects, *notes.damaged)):
        row, path = container.index.find(key), Path(container.loose_path(key))
        if inventory.may_remove(options) and inventory.is_garbage(key):
            continue
        if (row is not None and container.packed_copy_is_sound(row)) or file_has_key(path, key):
            continue
        if path.is_file():
            problems.add('damaged', key, f'the loose file {path} does not hold what its name says')
            objects, size = objects + 1, size + path.stat().st_size
        elif row is not None:
            problems.add('damaged', key, f'in pack {row.pack_id} at byte {row.offset}')
        if row is not None:
            packs.add(row.pack_id)
    return KnownDamage(Amount(objects, size), frozenset(packs))


def note_damage(container: ObjectStore, notes: Notes, problems: Problems) -> None:
    """Note what was found damaged, and no more what is mended or gone; that it cannot be noted is no reason to fail."""
    found = problems.damaged
    for key in found:
        notes.add_damaged(key)
    if others := [key for key in notes.damaged if key not in found]:
        copies = Copies(container)
        for key in others:
            if all(finding.kind == 'missing object' for finding in copies.findings(key)):
                notes.remove_damaged(key)
    notes.save()
