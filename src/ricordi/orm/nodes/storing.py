"""How nodes are stored: contents of files first, durably; then rows and links in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import GoneObject, ModificationNotAllowed, ReadOnlyStorage, UnwritableStorage, ValidationError
from ricordi.model.links import LINK_RULES, LinkType
from ricordi.orm.links import LinkTriple
from ricordi.orm.memory import Change, set_all
from ricordi.orm.nodes.link_rules import is_label_taken, lock_unsealed, taken_label
from ricordi.orm.nodes.sandbox import move_contents
from ricordi.orm.values import clean_dict

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.nodes.node import Node

TRIES = 4
"""How often the files of a node are put, where they are removed before the node is there."""


def store_nodes(nodes: Iterable[Node]) -> None:
    """Store many nodes at once, all or none: one transaction, and their files made durable together.

    :param nodes: those that are stored already are passed over; a node comes after those that link to it.
    :raises ricordi.errors.ModificationNotAllowed: a node that links to one of them is neither stored nor before it.
    :raises ricordi.errors.ValidationError: a node holds what cannot be kept, or breaks a rule; nothing was stored.
    """
    new = list({node.uuid: node for node in nodes if not node.is_stored}.values())
    if not new:
        return
    backend = new[0].backend
    if backend.read_only:
        raise ReadOnlyStorage(
            f'{new[0]!r} cannot be stored: the storage of profile {backend.profile.name} is read-only'
        )
    if backend.unwritable:
        raise UnwritableStorage(f'{new[0]!r} cannot be stored: {backend.unwritable}') from backend.unwritable_cause
    _check(new, backend)
    with_files = [node for node in new if _has_repository(node)]
    _put_contents(with_files, backend)
    now = datetime.now(UTC)
    rows = []
    for node in new:
        values = node._row_values()
        values['mtime'] = now
        values['repository_metadata'] = node.base.repository.serialize() if _has_repository(node) else {}
        rows.append(values)
    for left in reversed(range(TRIES)):
        try:
            pks = _insert(new, rows, backend)
            break
        except GoneObject:  # what nobody named yet was removed by another host, between the two
            if not left:
                raise
            _put_contents(with_files, backend)
    # After the commit: a node whose transaction failed is not stored, and must not say so.
    set_all(backend, _settled(new, pks, rows))


def _put_contents(nodes: Sequence[Node], backend: StorageBackend) -> None:
    """Put the files of new nodes into the repository.

    Before any row: a crash in between leaves objects that nobody names, not nodes without their files.
    """
    if nodes:
        contents = (content for node in nodes for content in node.base.repository.waiting_contents())
        move_contents(contents, backend.repository)


def _insert(nodes: Sequence[Node], rows: Sequence[dict[str, Any]], backend: StorageBackend) -> list[int]:
    """Insert nodes with their links, all or none; returns the pks."""
    with backend.transaction():
        _check_new_links(nodes)
        pks = backend.insert(EntityKind.NODE, rows)
        links = _link_rows(nodes, pks)
        if links:
            backend.insert(EntityKind.LINK, links)
    return pks


def unstored_ancestors(node: Node) -> list[Node]:
    """The nodes that waiting links lead from, and those before them: sources first."""
    found: dict[str, Node] = {}
    todo = [(node, False)]
    entered: set[str] = set()
    while todo:
        current, done = todo.pop()
        if done:
            found.setdefault(current.uuid, current)
            continue
        if current.uuid in entered or current.is_stored:
            continue
        entered.add(current.uuid)
        todo.append((current, True))
        if '_base' in vars(current):
            todo.extend((triple.node, False) for triple in current.base.links.incoming_cache)
    found.pop(node.uuid)
    return list(found.values())


def _check(nodes: Sequence[Node], backend: StorageBackend) -> None:
    """Validate nodes, clean their values, and see that what links to them comes before them."""
    before: set[str] = set()
    storable: set[type[Node]] = set()
    for node in nodes:
        if node.backend is not backend:
            raise ValidationError(f'{node!r} and {nodes[0]!r} are in different storages')
        if type(node) not in storable:
            node._validate_storability()
            storable.add(type(node))
        node._validate()
        for triple in _waiting(node):
            if not triple.node.is_stored and triple.node.uuid not in before:
                raise ModificationNotAllowed(
                    f'{node!r} cannot be stored before {triple.node!r}, which has a {triple.link_type.value} link '
                    f'{triple.link_label!r} to it: store that first, or call store_all()'
                )
        row = node.row
        row.attributes = clean_dict(row.attributes, 'attributes')
        if row.extras:
            row.extras = clean_dict(row.extras, 'extras')
        before.add(node.uuid)


def _waiting(node: Node) -> list[LinkTriple]:
    return node.base.links.incoming_cache if '_base' in vars(node) else []


def _has_repository(node: Node) -> bool:
    return '_base' in vars(node) and 'repository' in vars(node.base)


def _check_new_links(nodes: Sequence[Node]) -> None:
    """What may have changed since a link was made: its source was sealed, or another link took its label."""
    checked: set[str] = set()
    taken: set[tuple[str, LinkType, str]] = set()
    for node in nodes:
        for triple in _waiting(node):
            source = triple.node
            if source.pk is not None and source._family != 'data' and source.uuid not in checked:
                lock_unsealed(source)
                checked.add(source.uuid)
            if LINK_RULES[triple.link_type].unique_out:
                label = (source.uuid, *triple[1:])
                if label in taken or is_label_taken(*triple):
                    raise taken_label(*triple)
                taken.add(label)


def _link_rows(nodes: Sequence[Node], pks: Sequence[int]) -> list[dict[str, Any]]:
    """Links into the new nodes, and those out of them into nodes that were stored before."""
    new = {node.uuid: pk for node, pk in zip(nodes, pks, strict=True)}
    rows = []
    for node, pk in zip(nodes, pks, strict=True):
        if '_base' not in vars(node):
            continue
        for triple in node.base.links.incoming_cache:
            source_pk = triple.node.pk if triple.node.pk is not None else new[triple.node.uuid]
            rows.append(_link_row(source_pk, pk, triple))
        for triple in node.base.links.pending_outgoing():
            if triple.node.pk is not None:
                rows.append(_link_row(pk, triple.node.pk, triple))
    return rows


def _link_row(source_pk: int, target_pk: int, triple: LinkTriple) -> dict[str, Any]:
    return {
        'input_pk': source_pk,
        'output_pk': target_pk,
        'label': triple.link_label,
        'type': triple.link_type.value,
    }


def _settled(nodes: Sequence[Node], pks: Sequence[int], rows: Sequence[dict[str, Any]]) -> Iterator[Change]:
    """What changes in memory after the commit: the nodes are stored, and what waited for them does so no more."""
    uuids = {node.uuid for node in nodes}
    for node, pk, values in zip(nodes, pks, rows, strict=True):
        row = node.row
        yield row, 'pk', pk
        yield row, 'mtime', values['mtime']
        yield row, 'repository_metadata', values['repository_metadata']
        if '_base' in vars(node):
            yield from _no_longer_waiting(node, uuids)


def _no_longer_waiting(node: Node, stored: set[str]) -> Iterator[Change]:
    """Links and contents of a node that waited for the nodes `stored`."""
    links = node.base.links
    yield links, 'incoming_cache', []
    for triple in links.pending_outgoing():
        if triple.node.is_stored:
            target = triple.node.base.links
            yield target, 'incoming_cache', [one for one in target.incoming_cache if one.node.uuid not in stored]
    yield links, '_outgoing', []
    if _has_repository(node):
        yield node.base.repository, '_sandbox', None
        yield node.base.repository, '_draft', None
