"""The hash by which AiiDA's caching finds equal calculations: `node.base.caching`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.errors import ValidationError

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node


class NodeCaching:
    """Reads and clears what AiiDA keeps in the extras of a node for its caching."""

    _HASH_EXTRA_KEY = '_aiida_hash'
    _VALID_CACHE_KEY = '_aiida_valid_cache'
    CACHED_FROM_KEY = '_aiida_cached_from'

    def __init__(self, node: Node) -> None:
        self._node = node

    def get_hash(self) -> str | None:
        """The hash that was kept when the node was stored; None if there is none, or it was cleared."""
        value: str | None = self._node.base.extras.get(self._HASH_EXTRA_KEY, None)
        return value

    def clear_hash(self) -> None:
        """Forget the hash: nothing will be cached from this node."""
        self._node.base.extras.set(self._HASH_EXTRA_KEY, None)

    @property
    def is_valid_cache(self) -> bool:
        """Whether the node may be cached from; True unless it was set otherwise."""
        return bool(self._node.base.extras.get(self._VALID_CACHE_KEY, True))

    @is_valid_cache.setter
    def is_valid_cache(self, valid: bool) -> None:
        if not isinstance(valid, bool):
            raise ValidationError(f'is_valid_cache is True or False, got {valid!r}')
        self._node.base.extras.set(self._VALID_CACHE_KEY, valid)

    def get_cache_source(self) -> str | None:
        """The uuid of the node that this one was cached from; None if it was not."""
        value: str | None = self._node.base.extras.get(self.CACHED_FROM_KEY, None)
        return value

    @property
    def is_created_from_cache(self) -> bool:
        """Whether the node was made by copying an equal one."""
        return self.get_cache_source() is not None
