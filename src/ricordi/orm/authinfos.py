"""AuthInfos: how a user reaches a computer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import AuthInfoRow, EntityKind, JsonDict
from ricordi.errors import StoringNotAllowed
from ricordi.orm.arguments import stored_pk
from ricordi.orm.computers import Computer
from ricordi.orm.entities import Entity
from ricordi.orm.shared_rows import computer_row, user_row
from ricordi.orm.users import User
from ricordi.orm.values import clean_value, copy_json

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend


class AuthInfo(Entity):
    """What a user needs to reach a computer: the parameters of the connection. One per user and computer."""

    kind: ClassVar[EntityKind] = EntityKind.AUTHINFO
    PROPERTY_WORKDIR = 'workdir'
    _unique_fields = ('user_pk', 'computer_pk')
    _row: AuthInfoRow

    def __init__(
        self,
        computer: Computer,
        user: User,
        enabled: bool = True,
        auth_params: JsonDict | None = None,
        metadata: JsonDict | None = None,
        backend: StorageBackend | None = None,
    ) -> None:
        """A new authinfo, to be stored.

        :raises ricordi.errors.StoringNotAllowed: the computer or the user is not stored yet.
        """
        computer_pk = stored_pk(computer, EntityKind.COMPUTER, refusal=StoringNotAllowed)
        user_pk = stored_pk(user, EntityKind.USER, refusal=StoringNotAllowed)
        self._backend = backend if backend is not None else get_current_backend()
        self._row = AuthInfoRow(
            user_pk=user_pk,
            computer_pk=computer_pk,
            enabled=enabled,
            auth_params=clean_value(auth_params or {}, 'auth_params'),
            metadata=clean_value(metadata or {}, 'metadata'),
        )

    @property
    def enabled(self) -> bool:
        """Whether the computer may be used this way."""
        return self._row.enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._change(enabled=bool(value))

    @property
    def computer(self) -> Computer:
        """The computer that is reached."""
        return Computer.from_row(computer_row(self._backend, self._row.computer_pk), self._backend)

    @property
    def user(self) -> User:
        """The user who reaches it."""
        return User.from_row(user_row(self._backend, self._row.user_pk), self._backend)

    @property
    def auth_params(self) -> JsonDict:
        """Parameters of the connection; a copy."""
        return copy_json(self._row.auth_params)  # type: ignore[no-any-return]

    @property
    def metadata(self) -> JsonDict:
        """What else is known; a copy."""
        return copy_json(self._row.metadata)  # type: ignore[no-any-return]

    def get_auth_params(self) -> JsonDict:
        """Parameters of the connection; a copy."""
        return self.auth_params

    def set_auth_params(self, auth_params: JsonDict) -> None:
        """Replace the parameters of the connection."""
        self._change(auth_params=clean_value(auth_params, 'auth_params'))

    def get_metadata(self) -> JsonDict:
        """What else is known; a copy."""
        return self.metadata

    def set_metadata(self, metadata: JsonDict) -> None:
        """Replace what else is known."""
        self._change(metadata=clean_value(metadata, 'metadata'))

    def get_workdir(self) -> str:
        """Where calculations run: as set here, or else for the computer."""
        workdir: Any = self._row.metadata.get(self.PROPERTY_WORKDIR)
        return str(workdir) if workdir is not None else self.computer.get_workdir()

    def _identity(self) -> object:
        return (self._row.user_pk, self._row.computer_pk)

    def __str__(self) -> str:
        suffix = '' if self.enabled else ' [DISABLED]'
        return f'AuthInfo for {self.user.email} on {self.computer.label}{suffix}'
