"""Rules that only Python can tell, for what there is little of: labels, and the settings of computers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

from ricordi.backend.verification import Finding
from ricordi.errors import RicordiError
from ricordi.model.computers import settings_fault
from ricordi.model.labels import check_label, validate_link_label
from ricordi.model.values import is_damaged
from ricordi.storage.verification.look import Look, shown
from ricordi.storage.verification.rows import LINKS

_LABELLED = {'db_dbgroup': 'group', 'db_dbcomputer': 'computer'}


def check_labels(look: Look) -> Iterator[Finding]:
    """Find labels of groups and computers that no new one may have."""
    for table, kind in _LABELLED.items():
        if look.has(table, 'id', 'label'):
            for pk, label in look.reader.stream(f'SELECT id, label FROM {table} ORDER BY id'):
                if not _passes(partial(check_label, kind=kind), label):
                    yield from look.tally.found('odd label', table, f'the label {shown(label)} of a {kind}', pk)


def check_link_labels(look: Look) -> Iterator[Finding]:
    """Find labels of links that no new one may have: each label is looked at once, however many links have it."""
    if not look.has(LINKS, 'id', 'label'):
        return
    for label, number, first in look.reader.stream(f'SELECT label, count(*), min(id) FROM {LINKS} GROUP BY label'):
        if isinstance(label, str) and not _passes(validate_link_label, label):
            kind = 'unreadable text' if is_damaged(label) else 'odd label'
            detail = f'the label {shown(label)} of {number:,} links'
            yield from look.tally.found(kind, LINKS, detail, first if number == 1 else f'{first}, …')


def _passes(check: Callable[..., None], label: object) -> bool:
    try:
        check(label)
    except (RicordiError, TypeError):
        return False
    return True


def check_settings(look: Look) -> Iterator[Finding]:
    """Find settings of computers that are not of their type."""
    if not look.has('db_dbcomputer', 'id', 'metadata'):
        return
    text = look.reader.content('metadata')
    for pk, content in look.reader.stream(f'SELECT id, {text} FROM db_dbcomputer ORDER BY id'):
        try:
            settings = json.loads(content)
        except (ValueError, RecursionError, TypeError):
            continue  # which is told where values are looked at
        if isinstance(settings, dict) and (fault := settings_fault(settings)):
            yield from look.tally.found('computer setting', 'db_dbcomputer', f'a setting cannot be: {fault}', pk)
