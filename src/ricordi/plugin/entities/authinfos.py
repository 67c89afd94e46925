"""How users reach computers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiida.orm.implementation import BackendAuthInfo, BackendAuthInfoCollection

from ricordi.backend.rows import EntityKind
from ricordi.plugin.entities.collections import RicordiCollection
from ricordi.plugin.entities.entity import RicordiEntity
from ricordi.plugin.entities.properties import copied, field, reference

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage


class RicordiAuthInfo(RicordiEntity, BackendAuthInfo):
    """How a user reaches a computer."""

    KIND = EntityKind.AUTHINFO

    def __init__(
        self,
        backend: RicordiStorage,
        computer: Any,
        user: Any,
        enabled: bool = True,
        auth_params: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._begin(backend, enabled=enabled, auth_params=auth_params or {}, metadata=metadata or {})
        self._user = user
        self._computer = computer

    enabled = field('enabled')
    _user = reference('user_pk', EntityKind.USER)
    _computer = reference('computer_pk', EntityKind.COMPUTER)

    @property
    def user(self) -> Any:
        """Whose access it is."""
        return self._user

    @property
    def computer(self) -> Any:
        """Access to which computer."""
        return self._computer

    def get_auth_params(self) -> dict[str, Any]:
        """What the transport needs to know."""
        return copied(self, 'auth_params')

    def set_auth_params(self, auth_params: dict[str, Any]) -> None:
        """Set what the transport needs to know."""
        self._set('auth_params', auth_params)

    def get_metadata(self) -> dict[str, Any]:
        """The metadata."""
        return copied(self, 'metadata')

    def set_metadata(self, metadata: dict[str, Any]) -> None:
        """Set all metadata."""
        self._set('metadata', metadata)


class RicordiAuthInfos(RicordiCollection, BackendAuthInfoCollection):
    """The accesses to computers in a storage."""

    ENTITY_CLASS = RicordiAuthInfo
