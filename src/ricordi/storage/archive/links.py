"""Which links of an archive are new to a profile, and whether its own allow them (formats/graph.md, *Links*)."""

from __future__ import annotations

from typing import Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import UniquenessError, ValidationError
from ricordi.model.links import ACYCLIC, LINK_RULES, names_of
from ricordi.storage.archive.cycles import IN_NO_CIRCLE
from ricordi.storage.archive.mapping import Mapping, map_of
from ricordi.storage.columns import column_name

NODES = map_of(EntityKind.NODE)
NEW_LINK = 'temp.new_link'
"""The table of the links that `plan_links` has found to be new."""


def plan_links(mapping: Mapping) -> tuple[int, int]:
    """Find the links that the profile lacks, after its nodes were matched and before new ones are inserted.

    :returns: how many are new, how many are there.
    :raises ricordi.errors.UniquenessError: a new one and one of the profile cannot both be.
    """
    raw = mapping.raw
    _read_known(mapping)
    with mapping.staging.guarded():
        raw.execute('DROP TABLE IF EXISTS temp.new_link')
        raw.execute('CREATE TABLE temp.new_link (id INTEGER PRIMARY KEY)')
        new = raw.execute(
            'INSERT INTO temp.new_link SELECT l.id FROM db_dblink AS l '
            f'JOIN {NODES} AS a ON a.id = l.input_id JOIN {NODES} AS b ON b.id = l.output_id '
            'WHERE a.target IS NULL OR b.target IS NULL OR NOT EXISTS (SELECT 1 FROM temp.known_link AS k '
            'WHERE k.input_id = a.target AND k.output_id = b.target AND k.type = l.type AND k.label = l.label)'
        ).rowcount
        (total,) = raw.execute('SELECT count(*) FROM db_dblink').fetchone()
        if mapping.existing[EntityKind.NODE]:
            _refuse_conflicts(mapping)
    return new, total - new


def _read_known(mapping: Mapping) -> None:
    """Fetch the links of nodes that are in both, with the pks of the profile."""
    raw = mapping.raw
    with mapping.staging.guarded():
        raw.execute('DROP TABLE IF EXISTS temp.known_link')
        raw.execute(
            'CREATE TABLE temp.known_link (input_id INTEGER, output_id INTEGER, type VARCHAR, label VARCHAR, '
            'PRIMARY KEY (output_id, input_id, type, label)) WITHOUT ROWID'
        )
    if not mapping.existing[EntityKind.NODE]:
        return
    for page in mapping.pages(f'SELECT id, target FROM {NODES} WHERE target IS NOT NULL AND id > ?'):
        for field in ('output_pk', 'input_pk'):
            rows = mapping.target.links_of(field, [target for _, target in page])
            with mapping.staging.guarded():
                raw.executemany('INSERT OR IGNORE INTO temp.known_link VALUES (?, ?, ?, ?)', rows)
    with mapping.staging.guarded():
        raw.execute('CREATE INDEX temp.known_by_input ON known_link (input_id, type, label)')


def _refuse_conflicts(mapping: Mapping) -> None:
    for link_type, rule in LINK_RULES.items():
        for fields in rule.unique:
            same = ' AND '.join(_SAME[name] for name in fields)
            found = mapping.raw.execute(
                'SELECT l.label, l.input_id, l.output_id FROM temp.new_link AS n JOIN db_dblink AS l ON l.id = n.id '
                f'JOIN {NODES} AS a ON a.id = l.input_id JOIN {NODES} AS b ON b.id = l.output_id '
                f'JOIN temp.known_link AS k ON k.type = l.type AND {same} WHERE l.type = ? LIMIT 1',
                (link_type.value,),
            ).fetchone()
            if found is not None:
                label, source, target = found
                raise UniquenessError(
                    f'{mapping.staging.archive} has a link {label!r} of type {link_type.value!r} from node '
                    f'{_uuid(mapping, source)} to node {_uuid(mapping, target)}, but in the profile another link has '
                    f'the same {_columns(fields)}, of which there can be one: the two tell different histories of one '
                    'node'
                )


_SAME = {'output_pk': 'k.output_id = b.target', 'input_pk': 'k.input_id = a.target', 'label': 'k.label = l.label'}


def _columns(fields: tuple[str, ...]) -> str:
    return ', '.join(column_name(EntityKind.LINK, name) for name in fields)


def _uuid(mapping: Mapping, pk: int) -> Any:
    return mapping.raw.execute('SELECT uuid FROM db_dbnode WHERE id = ?', (pk,)).fetchone()[0]


def refuse_circles(mapping: Mapping) -> None:
    """See, after all links were inserted, that those of archive and profile together lead in no circle.

    Neither has one alone; so a circle goes through a new link that ends at a node the profile had before.

    :raises ricordi.errors.ValidationError: they lead in one.
    """
    with mapping.staging.guarded():
        pairs = mapping.raw.execute(
            'SELECT DISTINCT a.target, b.target FROM temp.new_link AS n JOIN db_dblink AS l ON l.id = n.id '
            f'JOIN {NODES} AS a ON a.id = l.input_id JOIN {NODES} AS b ON b.id = l.output_id '
            f'WHERE l.type IN {IN_NO_CIRCLE} AND b.id IN (SELECT id FROM temp.known_node)'
        ).fetchall()
    found = mapping.target.way_back(pairs, names_of(ACYCLIC)) if pairs else None
    if found is not None:
        raise ValidationError(
            f'with the links of {mapping.staging.archive} the node with pk {found[1]} of the profile would come from '
            'itself; the archive cannot be imported'
        )
