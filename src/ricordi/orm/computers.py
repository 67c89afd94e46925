"""Computers: the machines on which calculations run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import AuthInfoRow, ComputerRow, EntityKind, JsonDict
from ricordi.errors import NotExistent, NotExistentAttributeError
from ricordi.model.computers import check_computer, check_hostname, check_plugin, check_settings
from ricordi.model.labels import check_label
from ricordi.model.values import is_damaged
from ricordi.orm.arguments import text
from ricordi.orm.collections import Collection
from ricordi.orm.computer_settings import ComputerSettings
from ricordi.orm.entities import Entity
from ricordi.orm.entity_classes import entity_class
from ricordi.orm.shared_rows import forget, require_default_user
from ricordi.orm.values import clean_value, copy_json

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.authinfos import AuthInfo
    from ricordi.orm.users import User


class ComputerCollection(Collection['Computer']):
    """The computers of a storage."""

    def get_or_create(self, label: str, **kwargs: Any) -> tuple[bool, Computer]:
        """The computer with this label, or a new one that is not stored yet; first comes whether it is new.

        Should another process store it first, `store` makes the new one stand for that.
        """
        try:
            return False, self.get(label=label)
        except NotExistent:
            made = Computer(label, backend=self.backend, **kwargs)
            made._or_existing = True
            return True, made

    def list_labels(self) -> list[str]:
        """The labels of all computers."""
        return [computer.label for computer in self.all()]

    def delete(self, pk: int) -> None:
        """Delete a computer and how users reach it.

        :raises ricordi.errors.StillInUse: nodes are bound to it; an InvalidOperation.
        """
        super().delete(pk)
        forget(self.backend, EntityKind.COMPUTER, pk)


class Computer(ComputerSettings, Entity):
    """A machine, with the settings of its scheduler and transport."""

    kind: ClassVar[EntityKind] = EntityKind.COMPUTER
    identity_field = 'uuid'
    _collection_class = 'ricordi.orm.computers:ComputerCollection'
    _unique_fields = ('label',)
    _row: ComputerRow

    def __init__(
        self,
        label: str | None = None,
        hostname: str = '',
        description: str | None = '',
        transport_type: str = '',
        scheduler_type: str = '',
        workdir: str | None = None,
        metadata: JsonDict | None = None,
        backend: StorageBackend | None = None,
    ) -> None:
        """A new computer, to be stored.

        :param workdir: folder in which calculations run; may hold `{username}`.
        """
        self._backend = backend if backend is not None else get_current_backend()
        self._row = ComputerRow(
            uuid=str(uuid4()),
            label=text(label, 'the label of a computer'),
            hostname=text(hostname, 'the host name of a computer'),
            description=text(description, 'the description of a computer'),
            transport_type=text(transport_type, 'the transport type of a computer'),
            scheduler_type=text(scheduler_type, 'the scheduler type of a computer'),
            metadata=clean_value(metadata or {}, 'metadata'),
        )
        if workdir is not None:
            self.set_workdir(workdir)

    @property
    def uuid(self) -> str:
        """The identifier that is unique everywhere."""
        return str(self._held_row.uuid)

    @property
    def label(self) -> str:
        """The name, unique in a storage."""
        return self._row.label

    @label.setter
    def label(self, value: str) -> None:
        self._change_checked('label', value, lambda: check_label(value, 'computer'))

    @property
    def description(self) -> str:
        """Free text."""
        return self._row.description

    @description.setter
    def description(self, value: str) -> None:
        self._change(description=text(value, 'the description of a computer'))

    @property
    def hostname(self) -> str:
        """The name in the network."""
        return self._row.hostname

    @hostname.setter
    def hostname(self, value: str) -> None:
        self._change_checked('hostname', value, lambda: check_hostname(value))

    @property
    def scheduler_type(self) -> str:
        """Name of the scheduler's plug-in (`core.slurm`)."""
        return self._row.scheduler_type

    @scheduler_type.setter
    def scheduler_type(self, value: str) -> None:
        self._change_checked('scheduler_type', value, lambda: check_plugin('scheduler', value))

    @property
    def transport_type(self) -> str:
        """Name of the transport's plug-in (`core.ssh`)."""
        return self._row.transport_type

    @transport_type.setter
    def transport_type(self, value: str) -> None:
        self._change_checked('transport_type', value, lambda: check_plugin('transport', value))

    @property
    def metadata(self) -> JsonDict:
        """All settings; a copy."""
        return copy_json(self._row.metadata)  # type: ignore[no-any-return]

    @metadata.setter
    def metadata(self, value: JsonDict) -> None:
        cleaned = clean_value(value, 'metadata')
        before = self._row.metadata
        if isinstance(cleaned, dict) and not is_damaged(before):
            self._check_settings({name: new for name, new in cleaned.items() if before.get(name) != new})
        else:
            check_settings(cleaned, self._row.scheduler_type)
        self._change(metadata=cleaned)

    def _change_checked(self, field: str, value: str, check: Callable[[], None]) -> None:
        """Set a field; of a computer that is stored only what `store` would let through."""
        if self.is_stored:
            check()
        self._change(**{field: text(value, f'the {field} of a computer')})

    def _check_settings(self, settings: JsonDict) -> None:
        """Check settings that change, of a computer that is stored; others may be what AiiDA has let through."""
        if self.is_stored:
            check_settings(settings, self._row.scheduler_type)

    def get_property(self, name: str, *default: Any) -> Any:
        """A setting, or the default if one is given.

        :raises AttributeError: there is no such setting and no default.
        """
        if len(default) > 1:
            raise TypeError('get_property takes a name and at most one default')
        if name in self._row.metadata:
            return copy_json(self._row.metadata[name])
        if default:
            return default[0]
        raise NotExistentAttributeError(f'computer {self.label} has no property {name!r}')

    def set_property(self, name: str, value: Any) -> None:
        """Set a setting."""
        cleaned = clean_value(value, f'metadata["{name}"]')
        self._check_settings({name: cleaned})
        self._rewrite('metadata', lambda metadata: metadata.__setitem__(name, cleaned))

    def delete_property(self, name: str, raise_exception: bool = True) -> None:
        """Remove a setting.

        :raises AttributeError: there is no such setting, and `raise_exception` is True.
        """
        if name not in self._row.metadata:
            if raise_exception:
                raise NotExistentAttributeError(f'computer {self.label} has no property {name!r}')
            return
        self._rewrite('metadata', lambda metadata: metadata.pop(name, None))

    def validate(self) -> None:
        """Check that the settings make sense.

        :raises ricordi.errors.ValidationError: telling which does not.
        """
        row = self._row
        check_computer(row.label, row.hostname, row.transport_type, row.scheduler_type, row.metadata)

    def store(self) -> Computer:
        """Write this into the database, after `validate`."""
        self.validate()
        return super().store()

    def copy(self) -> Computer:
        """A new computer with the same settings, not stored yet; it needs a label of its own."""
        row = self._row
        return Computer(
            row.label,
            row.hostname,
            row.description,
            row.transport_type,
            row.scheduler_type,
            metadata=row.metadata,
            backend=self._backend,
        )

    # -- users ----------------------------------------------------------------------------------------------

    def get_authinfo(self, user: User) -> AuthInfo:
        """How `user` reaches this computer.

        :raises ricordi.errors.NotExistent: it is not configured for that user.
        """
        if self.pk is not None and user.pk is not None:
            equal = {'computer_pk': self.pk, 'user_pk': user.pk}
            for row in self._backend.find(AuthInfoRow, equal, limit=1):
                return entity_class(EntityKind.AUTHINFO).from_row(row, self._backend)  # type: ignore[no-any-return]
        raise NotExistent(f'computer {self.label} is not configured for {user.email}: call configure() first')

    def configure(self, user: User | None = None, **auth_params: Any) -> AuthInfo:
        """Set how `user` (the default user for None) reaches this computer; parameters not given stay as they are."""
        user = user or self._default_user()
        try:
            authinfo = self.get_authinfo(user)
        except NotExistent:
            kind: type[AuthInfo] = entity_class(EntityKind.AUTHINFO)
            authinfo = kind(self, user, auth_params=auth_params, backend=self._backend)
            if authinfo._store_unless_there():
                return authinfo
        given = clean_value(auth_params, 'auth_params')
        authinfo._rewrite('auth_params', lambda known: known.update(given))
        return authinfo

    def get_configuration(self, user: User | None = None) -> JsonDict:
        """The parameters by which `user` (the default user for None) reaches this computer; empty if there are none."""
        try:
            return self.get_authinfo(user or self._default_user()).get_auth_params()
        except NotExistent:
            return {}

    @property
    def is_configured(self) -> bool:
        """Whether the default user can reach this computer."""
        return self.is_user_configured(self._default_user())

    def is_user_configured(self, user: User) -> bool:
        """Whether this computer is configured for `user`."""
        try:
            self.get_authinfo(user)
        except NotExistent:
            return False
        return True

    def is_user_enabled(self, user: User) -> bool:
        """Whether `user` may use this computer."""
        try:
            return self.get_authinfo(user).enabled
        except NotExistent:
            return False

    def _default_user(self) -> User:
        from ricordi.orm.users import User

        return User.from_row(require_default_user(self._backend), self._backend)

    def __str__(self) -> str:
        return f'{self.label} ({self.hostname}), pk: {self.pk}'
