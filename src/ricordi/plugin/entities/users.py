"""Users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiida.orm.implementation import BackendUser, BackendUserCollection

from ricordi.backend.rows import EntityKind
from ricordi.plugin.entities.collections import RicordiCollection
from ricordi.plugin.entities.entity import RicordiEntity
from ricordi.plugin.entities.properties import field

if TYPE_CHECKING:
    from ricordi.plugin.storage import RicordiStorage


class RicordiUser(RicordiEntity, BackendUser):
    """A person, told apart by email."""

    KIND = EntityKind.USER
    NEEDED = frozenset({'email'})

    def __init__(
        self,
        backend: RicordiStorage,
        email: str,
        first_name: str | None = '',
        last_name: str | None = '',
        institution: str | None = '',
    ) -> None:
        self._begin(backend, email=email, first_name=first_name, last_name=last_name, institution=institution)

    email = field('email')
    first_name = field('first_name')
    last_name = field('last_name')
    institution = field('institution')


class RicordiUsers(RicordiCollection, BackendUserCollection):
    """The users of a storage."""

    ENTITY_CLASS = RicordiUser

    def create(
        self,
        email: str,
        first_name: str | None = '',
        last_name: str | None = '',
        institution: str | None = '',
    ) -> RicordiUser:
        """A user that is not stored yet."""
        return RicordiUser(self.backend, email, first_name, last_name, institution)
