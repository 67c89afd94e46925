"""Names of folders in a dump: those of verdi, made safe for a file system whatever labels hold."""

from __future__ import annotations

import unicodedata

SAFEGUARD = '.aiida_dump_safeguard'
"""The file by which verdi and this program know that a folder was made by a dump."""
METADATA = 'aiida_node_metadata.yaml'
LOG = 'ricordi_dump_log.jsonl'
DRAFT, LOG_DRAFT = '.ricordi-part', f'.{LOG}.part'
OWN = (METADATA, SAFEGUARD, LOG, DRAFT, LOG_DRAFT)
"""What a dump writes beside the files of nodes: none of these may have such a name."""
GROUPS, UNGROUPED = 'groups', 'ungrouped'
CALCULATIONS, WORKFLOWS = 'calculations', 'workflows'

LONGEST = 255
"""Bytes that a name may have on the file systems in use."""


def safe_name(text: str, suffix: str = '') -> str:
    """One step of a path: no slash, no control characters, not `.` or `..`, not empty, not too long.

    :param suffix: kept whole at the end where the name has to be cut.
    """
    cleaned = ''.join('_' if one == '/' or unicodedata.category(one) in ('Cc', 'Cs') else one for one in text)
    room = LONGEST - len(suffix.encode())
    name = cleaned.encode()[:room].decode(errors='ignore') + suffix
    return '_' if not name else name.replace('.', '_') if name in ('.', '..') else name


def group_path(label: str) -> str:
    """The folder of a group below `groups`: the slashes of the label make folders, as in verdi."""
    return '/'.join(safe_name(step) for step in label.split('/') if step) or '_'


def node_name(pk: int, label: str, process_label: str | None, process_type: str | None) -> str:
    """The folder of a process of its own: label, else process label, else process type; and the pk."""
    stem = label or process_label or process_type
    return safe_name(stem, f'-{pk}') if stem else str(pk)


def called_name(number: int, pk: int, link_label: str, process_label: str | None) -> str:
    """The folder of a process in that of its caller: `01-relax-PwCalculation-42`.

    :param number: its place among the called ones by time, from 1.
    """
    label = process_label if process_label and process_label != link_label else None
    stem = '-'.join([f'{number:02d}', link_label, *([label] if label else [])])
    return safe_name(stem.replace('CALL-', '').replace('None-', ''), f'-{pk}')
