"""Data nodes of one type in a list: structures with their formulas, trajectories, CIF files, families of UPF files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from ricordi.backend.storage import StorageBackend
from ricordi.model.structures import FormulaMode
from ricordi.orm.querybuilder.builder import QueryBuilder
from ricordi.services.contents.structures import formula_of, has_any
from ricordi.services.nodes.list import NodeFilter, list_nodes

Found = dict[str, Any]
_FAMILY = 'core.upf'
_UPF = 'data.core.upf.'


class DataChoice(NamedTuple):
    """Which data nodes; all conditions have to hold.

    :param groups: label, pk or uuid; a node is in one of them.
    :param user: address of the owner; None: anybody.
    :param past_days: made in the last so many days.
    """

    groups: tuple[str, ...] = ()
    user: str | None = None
    past_days: float | None = None

    def nodes(self, entry_point: str) -> NodeFilter:
        """The filter for nodes of a type."""
        users = () if self.user is None else (self.user,)
        return NodeFilter(types=(f'data.{entry_point}.',), groups=self.groups, users=users, past_days=self.past_days)


def list_structures(
    storage: StorageBackend, chosen: DataChoice, elements: Collection[str] = (), mode: FormulaMode = 'hill'
) -> Iterator[Found]:
    """The structures that fit, by time: `pk`, `label`, `formula`.

    :param elements: a kind of atoms has one of them as its first; empty: all structures.
    """
    names = ('pk', 'label', 'attributes.kinds', 'attributes.sites')
    for pk, label, kinds, sites in list_nodes(storage, chosen.nodes('core.structure'), names):
        if kinds is None or sites is None:
            continue
        if not elements or has_any(kinds, elements):
            yield {'pk': pk, 'label': label, 'formula': formula_of(kinds, sites, mode)}


def list_trajectories(storage: StorageBackend, chosen: DataChoice) -> Iterator[Found]:
    """The trajectories that fit, by time: `pk`, `label`."""
    for pk, label in list_nodes(storage, chosen.nodes('core.array.trajectory'), ('pk', 'label')):
        yield {'pk': pk, 'label': label}


def list_cif_files(storage: StorageBackend, chosen: DataChoice) -> Iterator[Found]:
    """The CIF files that fit, by time: `pk`, `formulae`, `source_uri`."""
    names = ('pk', 'attributes.formulae', 'attributes.source.uri')
    for pk, formulae, uri in list_nodes(storage, chosen.nodes('core.cif'), names):
        yield {'pk': pk, 'formulae': formulae, 'source_uri': uri}


def list_families(storage: StorageBackend, elements: Collection[str] = ()) -> list[Found]:
    """The families of pseudopotentials: `label`, `description`, `pseudos` (how many).

    :param elements: with a pseudopotential for one of them; empty: all families.
    """
    filters: dict[str, Any] = {'node_type': {'like': f'{_UPF}%'}}
    if elements:
        filters = {'and': [filters, {'attributes.element': {'in': list(elements)}}]}
    query = QueryBuilder(storage)
    query.append(entity_type='node', tag='upf', filters=filters)
    query.append(
        entity_type='group',
        joining_keyword='with_node',
        joining_value='upf',
        filters={'type_string': _FAMILY},
        project=['id', 'label', 'description'],
        tag='family',
    )
    found = sorted(query.distinct().all(), key=lambda row: row[1])
    return [
        {'label': label, 'description': description, 'pseudos': _count(storage, pk)} for pk, label, description in found
    ]


def _count(storage: StorageBackend, group_pk: int) -> int:
    query = QueryBuilder(storage)
    query.append(entity_type='group', tag='family', filters={'id': group_pk})
    query.append(
        entity_type='node',
        joining_keyword='with_group',
        joining_value='family',
        filters={'node_type': {'like': f'{_UPF}%'}},
        project=['id'],
    )
    return query.count()
