"""Users: the people who own nodes and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import EntityKind, UserRow
from ricordi.errors import NotExistent
from ricordi.model.people import checked_email, normalized_email
from ricordi.orm.arguments import text
from ricordi.orm.collections import Collection
from ricordi.orm.entities import Entity
from ricordi.orm.shared_rows import default_user_row, forget

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend


class UserCollection(Collection['User']):
    """The users of a storage."""

    def get_or_create(self, email: str, **kwargs: Any) -> tuple[bool, User]:
        """The user with this email, or a new one that is not stored yet; first comes whether it is new.

        Should another process store it first, `store` makes the new one stand for that.
        """
        try:
            return False, self.get(email=User.normalize_email(email))
        except NotExistent:
            made = User(email, backend=self.backend, **kwargs)
            made._or_existing = True
            return True, made

    def get_default(self) -> User | None:
        """The user that the profile names as default."""
        row = default_user_row(self.backend)
        return None if row is None else User.from_row(row, self.backend)

    def delete(self, pk: int) -> None:
        """Delete a user; refused by the database while nodes or groups are owned by them."""
        super().delete(pk)
        forget(self.backend, EntityKind.USER, pk)


class User(Entity):
    """A person, told apart by email."""

    kind: ClassVar[EntityKind] = EntityKind.USER
    _collection_class = 'ricordi.orm.users:UserCollection'
    _unique_fields = ('email',)
    _row: UserRow

    def __init__(
        self,
        email: str,
        first_name: str = '',
        last_name: str = '',
        institution: str = '',
        backend: StorageBackend | None = None,
    ) -> None:
        """A new user, to be stored.

        :param backend: the storage; that of the loaded profile for None.
        """
        self._backend = backend if backend is not None else get_current_backend()
        self._row = UserRow(
            email=checked_email(email),
            first_name=text(first_name, 'the first name of a user'),
            last_name=text(last_name, 'the last name of a user'),
            institution=text(institution, 'the institution of a user'),
        )

    @staticmethod
    def normalize_email(email: str) -> str:
        """The address with its domain in lower case, as AiiDA keeps it."""
        return normalized_email(email)

    @property
    def email(self) -> str:
        """The address that tells this user from others."""
        return self._row.email

    @email.setter
    def email(self, value: str) -> None:
        self._change(email=checked_email(value))

    @property
    def first_name(self) -> str:
        """Given name."""
        return self._row.first_name

    @first_name.setter
    def first_name(self, value: str) -> None:
        self._change(first_name=text(value, 'the first name of a user'))

    @property
    def last_name(self) -> str:
        """Family name."""
        return self._row.last_name

    @last_name.setter
    def last_name(self, value: str) -> None:
        self._change(last_name=text(value, 'the last name of a user'))

    @property
    def institution(self) -> str:
        """Where the user works."""
        return self._row.institution

    @institution.setter
    def institution(self, value: str) -> None:
        self._change(institution=text(value, 'the institution of a user'))

    @property
    def is_default(self) -> bool:
        """Whether the profile names this user as default."""
        row = default_user_row(self._backend)
        return row is not None and row.pk == self.pk

    @property
    def uuid(self) -> None:
        """Users have none."""
        return

    def get_full_name(self) -> str:
        """Name and email, as far as known: `Giuseppe Verdi (verdi@opera.net)`."""
        name = ' '.join(part for part in (self.first_name, self.last_name) if part)
        return f'{name} ({self.email})' if name else self.email

    def get_short_name(self) -> str:
        """The email."""
        return self.email

    def _identity(self) -> object:
        return self._row.email

    def __str__(self) -> str:
        return self.email
