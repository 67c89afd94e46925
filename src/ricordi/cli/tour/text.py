"""What the tour says: one screen, each command with its time and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.cli.storage.maintenance_report import report_as_text
from ricordi.cli.terminal.quantities import format_bytes, format_seconds, plural
from ricordi.services.tour.laying_out import PROFILE

if TYPE_CHECKING:
    from ricordi.backend.maintenance import Amount
    from ricordi.backend.verification import Finding
    from ricordi.services.tour.tour import Tour

WIDTH = 79


def as_text(done: Tour, kept: str | None, verbose: bool) -> str:
    """The tour for a person.

    :param kept: the folder, where it was kept.
    :param verbose: also the whole report of the maintenance.
    """
    parts = [_beginning(done), *_deeds(done), _end(kept)]
    if verbose:
        parts.insert(-1, report_as_text(PROFILE, done.maintenance))
    return '\n\n'.join(parts)


def _beginning(done: Tour) -> str:
    return (
        f'A storage in a temporary folder. AiiDA made a part of it; {plural(done.laid.nodes, "node")} were\n'
        f"made just now, and {done.laid.deleted:,} of these deleted. A repack of AiiDA's was killed, after\n"
        'which AiiDA reads nothing of what it had packed. And soon one byte is wrong.'
    )


def _deeds(done: Tour) -> list[str]:
    objects = f'{plural(done.before.objects, "object")}, {format_bytes(done.before.bytes)}'
    commands = [
        _command(done, 'backup', 'storage backup PLACE', f'a snapshot: the database and {objects}'),
        _command(done, 'verify', 'storage verify --read', *map(_named, done.damaged)),
        _command(done, 'repair', 'storage repair --from PLACE', _mended(done)),
        _command(done, 'maintain', 'storage maintain --full --repack all --compress', *_gain(done)),
        _command(done, 'again', 'storage maintain --full', 'Nothing to do.' if done.again.nothing_to_do else '?'),
    ]
    return ['\n'.join(commands), _checked(done)]


def _command(done: Tour, name: str, words: str, *lines: str) -> str:
    time = format_seconds(done.seconds[name])
    command = f'$ ricordi {words}'
    return '\n'.join([f'{command}{time:>{WIDTH - len(command)}}', *(f'    {line}' for line in lines)])


def _named(finding: Finding) -> str:
    pk, _, path = finding.nodes[0]
    return f'damaged: {path} of node {pk} (object {finding.key[:10]}…)'


def _mended(done: Tour) -> str:
    mended = len(done.repair.done) - len(done.repair.left)
    return f'{plural(mended, "object")} taken from the backup and checked' if done.repair.is_whole else 'not mended'


def _gain(done: Tour) -> list[str]:
    before, after = done.maintenance.before, done.maintenance.after
    assert after is not None
    rows = [
        ('', 'before', 'after'),
        ('on disk', format_bytes(done.disk_before), format_bytes(done.disk_after)),
        ('garbage', _bytes(before.garbage), _bytes(after.garbage)),
        ('waste in packs', format_bytes(before.waste_bytes), format_bytes(after.waste_bytes)),
        ('files', f'{before.files:,}', f'{after.files:,}'),
    ]
    return [f'{name:16}{was:>10}{now:>12}' for name, was, now in rows]


def _checked(done: Tour) -> str:
    if done.after.wrong:
        return f'Checked: {plural(len(done.after.wrong), "object")} came back with other bytes.'
    text = f'Checked: every object that a node names was read back ({plural(done.after.objects, "object")},'
    time = format_seconds(done.seconds['check'])
    second = f'{format_bytes(done.after.bytes)}); the SHA-256 of each is right.'
    return f'{text}\n{second}{time:>{WIDTH - len(second)}}'


def _end(kept: str | None) -> str:
    if kept:
        return f'Look around: AIIDA_PATH={kept} ricordi storage info'
    return 'The temporary folder is gone. For a profile of your own:\n$ ricordi storage maintain --full --dry-run'


def _bytes(amount: Amount | None) -> str:
    return format_bytes(amount.bytes) if amount is not None else '?'
