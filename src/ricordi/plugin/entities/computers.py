"""Computers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiida.common import exceptions
from aiida.orm.implementation import BackendComputer, BackendComputerCollection

from ricordi.backend.rows import ComputerRow, EntityKind
from ricordi.plugin.entities.collections import RicordiCollection
from ricordi.plugin.entities.entity import RicordiEntity
from ricordi.plugin.entities.properties import copied, field, fixed
from ricordi.plugin.errors import translated

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage


class RicordiComputer(RicordiEntity, BackendComputer):
    """A machine on which calculations run."""

    KIND = EntityKind.COMPUTER
    NEEDED = frozenset({'label', 'hostname'})

    def __init__(
        self,
        backend: RicordiStorage,
        label: str | None = None,
        hostname: str | None = '',
        description: str | None = '',
        scheduler_type: str | None = '',
        transport_type: str | None = '',
        metadata: dict[str, Any] | None = None,
        uuid: str | None = None,
    ) -> None:
        self._begin(
            backend,
            uuid=uuid or str(uuid4()),
            label=label,
            hostname=hostname,
            description=description,
            scheduler_type=scheduler_type,
            transport_type=transport_type,
            metadata=metadata or {},
        )

    uuid = fixed('uuid')
    label = field('label', writable=False)
    hostname = field('hostname', writable=False)
    description = field('description', writable=False)

    def copy(self) -> RicordiComputer:
        """A computer like this one that is not stored.

        :raises aiida.common.exceptions.InvalidOperation: this one is not stored.
        """
        if not self.is_stored:
            raise exceptions.InvalidOperation('You can copy a computer only after having stored it')
        other = copy.copy(self)
        row = copy.deepcopy(self._backend.row(self.KIND, self.pk))
        row.pk, row.uuid = None, str(uuid4())
        other._hold(row, self._backend, None)
        return other

    def get_metadata(self) -> dict[str, Any]:
        """The metadata."""
        return copied(self, 'metadata')

    def set_metadata(self, metadata: dict[str, Any]) -> None:
        """Set all metadata."""
        self._set('metadata', metadata)

    def set_label(self, val: str) -> None:
        """Set the label."""
        self._set('label', val)

    def set_hostname(self, val: str) -> None:
        """Set the host name."""
        self._set('hostname', val)

    def set_description(self, val: str) -> None:
        """Set the description."""
        self._set('description', val)

    def get_scheduler_type(self) -> str:
        """The entry point name of its scheduler."""
        return self._get('scheduler_type')

    def set_scheduler_type(self, scheduler_type: str) -> None:
        """Set the entry point name of its scheduler."""
        self._set('scheduler_type', scheduler_type)

    def get_transport_type(self) -> str:
        """The entry point name of its transport."""
        return self._get('transport_type')

    def set_transport_type(self, transport_type: str) -> None:
        """Set the entry point name of its transport."""
        self._set('transport_type', transport_type)


class RicordiComputers(RicordiCollection, BackendComputerCollection):
    """The computers of a storage."""

    ENTITY_CLASS = RicordiComputer

    def list_names(self) -> list[tuple[str]]:
        """The labels of all computers, each in a tuple."""
        with translated():
            return [(row.label,) for row in self.backend.ricordi.find(ComputerRow)]

    def delete(self, pk: int) -> None:
        """Delete a computer.

        :raises aiida.common.exceptions.InvalidOperation: there is none of that pk, or nodes refer to it.
        """
        try:
            self._delete(pk)
        except (exceptions.IntegrityError, exceptions.NotExistent) as error:
            raise exceptions.InvalidOperation(f'Unable to delete the requested computer: {error}') from error
