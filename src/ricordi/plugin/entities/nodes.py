"""Nodes, with their links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from aiida.common import exceptions, timezone
from aiida.common.lang import type_check
from aiida.orm.implementation import BackendNode, BackendNodeCollection
from aiida.orm.implementation.utils import clean_value

from ricordi.backend.rows import EntityKind
from ricordi.errors import RicordiError
from ricordi.plugin.entities.collections import RicordiCollection
from ricordi.plugin.entities.json_fields import (
    ExtrasFields,
    delete_key,
    delete_keys,
    get_key,
    is_of_json,
    own_copy,
    reset,
    set_keys,
)
from ricordi.plugin.entities.properties import copied, field, fixed, reference

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage


class RicordiNode(ExtrasFields, BackendNode):
    """A node of the provenance graph."""

    KIND = EntityKind.NODE
    NEEDED = frozenset({'node_type'})

    def __init__(
        self,
        backend: RicordiStorage,
        node_type: str,
        user: Any,
        computer: Any = None,
        process_type: str | None = None,
        label: str | None = '',
        description: str | None = '',
        ctime: datetime | None = None,
        mtime: datetime | None = None,
    ) -> None:
        type_check(ctime, datetime, allow_none=True)
        type_check(mtime, datetime, allow_none=True)
        self._begin(
            backend,
            uuid=str(uuid4()),
            node_type=node_type,
            process_type=process_type,
            label=label,
            description=description,
            ctime=ctime or timezone.now(),
            mtime=mtime,
        )
        self.user = user
        if computer:
            self.computer = computer

    uuid = fixed('uuid')
    node_type = fixed('node_type')
    ctime = fixed('ctime')
    mtime = field('mtime', writable=False)
    process_type = field('process_type')
    label = field('label')
    description = field('description')
    attributes = field('attributes', writable=False)
    user = reference('user_pk', EntityKind.USER)
    computer = reference('computer_pk', EntityKind.COMPUTER, nullable=True)

    @property
    def repository_metadata(self) -> dict[str, Any]:
        """The file tree; what is changed in it is kept when it is set."""
        return copied(self, 'repository_metadata') or {}

    @repository_metadata.setter
    def repository_metadata(self, value: dict[str, Any]) -> None:
        self._set('repository_metadata', value)

    def clone(self) -> RicordiNode:
        """A node that is not stored, with the same attributes and extras."""
        clone = type(self)(
            self._backend,
            self.node_type,
            self.user,
            self.computer,
            self.process_type,
            self.label,
            self.description,
        )
        clone._row.attributes, clone._row.extras = own_copy(self, 'attributes'), own_copy(self, 'extras')
        return clone

    # -- links and storing ----------------------------------------------------------------------------------

    def add_incoming(self, source: RicordiNode, link_type: Any, link_label: str) -> None:
        """Add a link from another node.

        :raises aiida.common.exceptions.ModificationNotAllowed: one of the two is not stored.
        :raises aiida.common.exceptions.UniquenessError: the database refuses it.
        """
        type_check(source, RicordiNode)
        if not self.is_stored:
            raise exceptions.ModificationNotAllowed('node has to be stored when adding an incoming link')
        if not source.is_stored:
            raise exceptions.ModificationNotAllowed('source node has to be stored when adding a link from it')
        self._add_links([(source, link_type, link_label)])

    def _add_links(self, links: Iterable[tuple[RicordiNode, Any, str]]) -> None:
        rows = [
            {'input_pk': source.pk, 'output_pk': self.pk, 'label': label, 'type': link_type.value}
            for source, link_type, label in links
        ]
        try:
            self._backend.ricordi.insert(EntityKind.LINK, rows)
        except RicordiError as error:
            raise exceptions.UniquenessError(f'failed to create the link: {error}') from error

    def clean_values(self) -> None:
        """Bring attributes and extras into the form in which they are kept."""
        row = self._row
        row.attributes, row.extras = clean_value(row.attributes), clean_value(row.extras)

    def store(self, links: Sequence[tuple[RicordiNode, Any, str]] | None = None, clean: bool = True) -> Self:
        """Insert its row and the links to it, all or nothing.

        :param links: source, type and label of each.
        :param clean: whether to call `clean_values` before.
        """
        row = self._row
        if row.pk is not None:
            return self
        if clean:
            self.clean_values()
        if not links:
            self._insert()
            if clean:  # which has made copies
                self._not_old(name for name in ('attributes', 'extras') if is_of_json(getattr(row, name)))
            return self
        try:
            with self._backend.transaction():
                self._insert()
                self._add_links(links)
        except BaseException:
            row.pk = None
            raise
        return self

    # -- attributes -----------------------------------------------------------------------------------------

    def get_attribute(self, key: str) -> Any:
        """The value of an attribute.

        :raises AttributeError: there is none.
        """
        return get_key(self, 'attributes', key)

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute."""
        set_keys(self, 'attributes', {key: value})

    def set_attribute_many(self, attributes: Mapping[str, Any]) -> None:
        """Set some attributes."""
        set_keys(self, 'attributes', attributes)

    def reset_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set all attributes."""
        reset(self, 'attributes', attributes)

    def delete_attribute(self, key: str) -> None:
        """Delete an attribute.

        :raises AttributeError: there is none.
        """
        delete_key(self, 'attributes', key)

    def delete_attribute_many(self, keys: Iterable[str]) -> None:
        """Delete some attributes.

        :raises AttributeError: one of them is not there.
        """
        delete_keys(self, 'attributes', keys)

    def clear_attributes(self) -> None:
        """Delete all attributes."""
        self._set('attributes', {})

    def attributes_items(self) -> Iterable[tuple[str, Any]]:
        """Keys and values of the attributes."""
        yield from self.attributes.items()

    def attributes_keys(self) -> Iterable[str]:
        """Keys of the attributes."""
        yield from self.attributes.keys()


class RicordiNodes(RicordiCollection, BackendNodeCollection):
    """The nodes of a storage."""

    ENTITY_CLASS = RicordiNode

    def get(self, pk: int) -> RicordiNode:
        """A node by its pk.

        :raises aiida.common.exceptions.NotExistent: there is none.
        """
        token = self.backend.token()
        row = self.backend.row(EntityKind.NODE, pk)
        if row is None:
            raise exceptions.NotExistent(f"Node with pk '{pk}' not found")
        return RicordiNode.from_row(row, self.backend, token)
