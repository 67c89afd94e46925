"""Checks a link before it is made: types and degrees of `LINK_RULES`, and no cycle in data provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import EntityKind, LinkRow
from ricordi.errors import ModificationNotAllowed, ValidationError
from ricordi.model.labels import validate_link_label
from ricordi.model.links import DATA_PROVENANCE, LINK_RULES, LinkType, names_of
from ricordi.orm.entity_classes import entity_class
from ricordi.orm.links import LinkTriple

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.nodes.node import Node


def validate_link(source: Node, target: Node, link_type: LinkType, link_label: str, backend: Any = None) -> None:
    """Refuse a link that would break a rule of the provenance graph.

    :param backend: not used; the nodes know their storage.
    :raises TypeError: an argument is of the wrong type.
    :raises ValueError: the link is not allowed; the message tells which rule it breaks.
    """
    node_class = entity_class(EntityKind.NODE)
    for node in (source, target):
        if not isinstance(node, node_class):
            raise TypeError(f'a link joins two nodes, got {node!r}')
    if not isinstance(link_type, LinkType):
        raise TypeError(f'a link type is a LinkType, got {link_type!r}')
    validate_link_label(link_label)
    if source.backend is not target.backend:
        raise ValidationError(f'{source!r} and {target!r} are in different storages')
    if source.uuid == target.uuid:
        raise ValidationError(f'a link from {source!r} to itself is not allowed')
    rule = LINK_RULES[link_type]
    if source._family != rule.source or target._family != rule.target:
        raise ValidationError(
            f'a link of type {link_type.value} leads from {rule.source} to {rule.target}, '
            f'not from {type(source).__name__} to {type(target).__name__}'
        )
    _check_into(source, target, link_type, link_label)
    if rule.unique_out:
        check_outgoing_label(source, link_type, link_label)
    if link_type in DATA_PROVENANCE and _closes_cycle(source, target):
        raise ValidationError(f'a link from {source!r} to {target!r} would close a cycle in the data provenance')


def check_outgoing_label(source: Node, link_type: LinkType, link_label: str) -> None:
    """Refuse a second link of this type and label out of `source`."""
    taken = any(triple[1:] == (link_type, link_label) for triple in source.base.links.pending_outgoing())
    if taken or is_label_taken(source, link_type, link_label):
        raise taken_label(source, link_type, link_label)


def is_label_taken(source: Node, link_type: LinkType, link_label: str) -> bool:
    """Whether a link of this type and label out of `source` is stored."""
    return _link_exists(source.backend, input_pk=source.pk, type=link_type.value, label=link_label)


def taken_label(source: Node, link_type: LinkType, link_label: str) -> ValidationError:
    """The error for a second link of this type and label out of `source`."""
    return ValidationError(f'{source!r} already has an outgoing {link_type.value} link with label {link_label!r}')


def lock_unsealed(node: Node) -> None:
    """Keep others from changing a stored node until the transaction ends, and refuse one that was sealed or deleted.

    Nothing in the database holds the rules of links: whoever links to a process has its row for the time of the check.

    :raises ricordi.errors.ModificationNotAllowed: it is a process, and sealed by now.
    :raises ricordi.errors.NotExistent: it was deleted.
    """
    if node._current_row(lock=True).attributes.get('sealed') is True and node._family != 'data':
        raise ModificationNotAllowed(f'{node!r} is sealed: no link can be made to it or from it any more')


def _check_into(source: Node, target: Node, link_type: LinkType, link_label: str) -> None:
    """Refuse more links into `target` than its type may have."""
    unique = LINK_RULES[link_type].unique_into
    waiting = [triple for triple in target.base.links.incoming_cache if triple.link_type is link_type]
    what = ''
    if 'label' in unique:
        waiting = [triple for triple in waiting if triple.link_label == link_label]
        what = f' with label {link_label!r}'
    if 'input_pk' in unique:
        waiting = [triple for triple in waiting if triple.node == source]
        what += f' from {source!r}'
    values = {'input_pk': source.pk, 'output_pk': target.pk, 'label': link_label}
    equal = {name: values[name] for name in unique}
    if unique and (waiting or _link_exists(target.backend, type=link_type.value, **equal)):
        raise ValidationError(f'{target!r} already has an incoming {link_type.value} link{what}')


def _link_exists(backend: StorageBackend, **equal: Any) -> bool:
    """Whether a link with these fields is stored; a pk of None (a node that is not stored) has none."""
    if None in equal.values():
        return False
    return any(True for _ in backend.find(LinkRow, equal, limit=1))


def _closes_cycle(source: Node, target: Node) -> bool:
    """Whether links, stored or waiting, lead from `target` to `source`."""
    after = _reach(target, lambda node: node.base.links.pending_outgoing())
    if not target.is_stored and len(after) == 1:
        return False
    before = _reach(source, lambda node: node.base.links.incoming_cache)
    if after.keys() & before.keys():
        return True
    types = names_of(DATA_PROVENANCE)
    return any(
        source.backend.has_path(start.pk, end.pk, types)
        for start in after.values()
        if start.pk is not None
        for end in before.values()
        if end.pk is not None
    )


def _reach(node: Node, links_of: Callable[[Node], Iterable[LinkTriple]]) -> dict[str, Node]:
    """The nodes that waiting links of data provenance lead to, `node` among them, by uuid."""
    found = {node.uuid: node}
    todo = [node]
    while todo:
        for triple in links_of(todo.pop()):
            if triple.link_type in DATA_PROVENANCE and triple.node.uuid not in found:
                found[triple.node.uuid] = triple.node
                todo.append(triple.node)
    return found
