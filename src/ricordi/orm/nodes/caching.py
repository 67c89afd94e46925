"""The hash by which AiiDA's caching finds equal calculations: `node.base.caching`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ricordi.errors import InvalidOperation, ValidationError
from ricordi.model.links import LinkType
from ricordi.model.node_types import CALCJOB, is_process

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node

_INPUTS = (LinkType.INPUT_CALC, LinkType.INPUT_WORK)


class NodeCaching:
    """The hash of a node: what AiiDA keeps in the extras, and the same computed anew. Storing a node sets none."""

    _HASH_EXTRA_KEY = '_aiida_hash'
    _VALID_CACHE_KEY = '_aiida_valid_cache'
    CACHED_FROM_KEY = '_aiida_cached_from'

    def __init__(self, node: Node) -> None:
        self._node = node

    def get_hash(self) -> str | None:
        """The hash that was kept when the node was stored; None if there is none, or it was cleared."""
        value: str | None = self._node.base.extras.get(self._HASH_EXTRA_KEY, None)
        return value

    def compute_hash(self, ignore_errors: bool = True, **kwargs: Any) -> str | None:
        """The hash of what the node holds: type, attributes, files, computer and, of a process, its inputs.

        It is the one that aiida-core 2.9 computes for the same node.

        :param ignore_errors: give None where there is no hash: for a type that is not AiiDA's own, whose class is
            part of the hash, and for a process with an input of such a type, whose hash is.
        :param kwargs: options of AiiDA's hash for folders and ordered dictionaries, of which a node holds none.
        :raises ricordi.errors.InvalidOperation: the node is not stored; or there is no hash, unless ignored.
        """
        if not self._node.is_stored:
            raise InvalidOperation(f'{self._node!r} is not stored: its hash is known once it is')
        from ricordi.orm.nodes.hashing import hash_value

        try:
            return hash_value(self.get_objects_to_hash())
        except (InvalidOperation, ValidationError):
            if ignore_errors:
                return None
            raise

    def get_objects_to_hash(self) -> dict[str, Any]:
        """What the hash is made of."""
        node = self._node
        left_out = {*node._hash_ignored_attributes, *node._updatable_attributes}
        objects: dict[str, Any] = {
            'class': _aiida_class(node.node_type),
            'attributes': {key: value for key, value in node.row.attributes.items() if key not in left_out},
            'repository_hash': node.base.repository.hash(),
            'computer_uuid': node.computer.uuid if node.computer else None,
        }
        if is_process(node.node_type):
            inputs = node.base.links.get_incoming(link_type=_INPUTS)
            # None in the place of a hash that is not known would make jobs equal that differ in just this input.
            objects['inputs'] = {link.link_label: link.node.base.caching.compute_hash(False) for link in inputs}
        if node.node_type.startswith(CALCJOB):
            del objects['repository_hash']  # the input files are written after a job is stored
        return objects

    def rehash(self) -> None:
        """Compute the hash and keep it for AiiDA to cache from this node. Where none is known, what was kept stays."""
        computed = self.compute_hash()
        if computed is not None:
            self._node.base.extras.set(self._HASH_EXTRA_KEY, computed)

    def get_all_same_nodes(self) -> list[Node]:
        """The stored nodes of this type whose kept hash is that of this node, and that may be cached from."""
        from ricordi.orm.querybuilder.builder import QueryBuilder

        node = self._node
        value = self.compute_hash()
        if value is None or not node._cachable:
            return []
        query = QueryBuilder(backend=node.backend)
        query.append(type(node), filters={f'extras.{self._HASH_EXTRA_KEY}': value}, subclassing=False)
        return [found for found in query.all(flat=True) if found.base.caching.is_valid_cache]

    def clear_hash(self) -> None:
        """Forget the hash: nothing will be cached from this node."""
        self._node.base.extras.set(self._HASH_EXTRA_KEY, None)

    @property
    def is_valid_cache(self) -> bool:
        """Whether the node may be cached from; of data True, unless it was set otherwise.

        A process must be finished and sealed as well, and its class, where it can be imported, is asked about the exit
        code. Where it cannot, a process with exit status 0 counts as valid and any other does not; one of a class that
        a script defined never does.
        """
        return bool(self._node.base.extras.get(self._VALID_CACHE_KEY, True)) and self._may_be_cached_from()

    @is_valid_cache.setter
    def is_valid_cache(self, valid: bool) -> None:
        if not isinstance(valid, bool):
            raise ValidationError(f'is_valid_cache is True or False, got {valid!r}')
        self._node.base.extras.set(self._VALID_CACHE_KEY, valid)

    def _may_be_cached_from(self) -> bool:
        """Whether the state of the node allows it."""
        return True

    def should_use_cache(self) -> bool:
        """Whether storing the node would look for an equal one to copy: never, for nothing is run here."""
        return False

    def get_cache_source(self) -> str | None:
        """The uuid of the node that this one was cached from; None if it was not."""
        value: str | None = self._node.base.extras.get(self.CACHED_FROM_KEY, None)
        return value

    @property
    def is_created_from_cache(self) -> bool:
        """Whether the node was made by copying an equal one."""
        return self.get_cache_source() is not None


def _aiida_class(node_type: str) -> str:
    """How Python shows AiiDA's class of this type, which is part of the hash.

    :raises ricordi.errors.InvalidOperation: the type is a plug-in's: where its class is, is not known here.
    """
    from ricordi.orm.aiida_places import node_class_place

    place = node_class_place(node_type)
    if place is None:
        raise InvalidOperation(f'the hash of a {node_type} needs its class, which only AiiDA knows')
    return f"<class '{place[0]}.{place[1]}'>"
