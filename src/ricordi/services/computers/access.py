"""How users reach computers: the parameters of the connection, and whether they may use it (AiiDA's authinfos)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ricordi.backend.rows import AuthInfoRow, ComputerRow, EntityKind, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistent, ValidationError
from ricordi.remedies import Remedy
from ricordi.services.computers.parameters import Account, default_parameters, parameters_of
from ricordi.services.computers.setup import work_dir_of


@dataclass(frozen=True, slots=True)
class Access:
    """How a user reaches a computer, with all that a connection needs.

    :param work_dir: folder in which calculations run; may hold `{username}`.
    """

    label: str
    hostname: str
    transport: str
    scheduler: str
    user: str
    enabled: bool
    parameters: dict[str, Any]
    work_dir: str


def find_access(storage: StorageBackend, computer: ComputerRow, user: UserRow) -> Access:
    """How a user reaches a computer.

    :raises ricordi.errors.NotExistent: the computer is not configured for the user; the message tells the command.
    """
    row = _required(storage, computer, user)
    return Access(
        computer.label,
        computer.hostname,
        computer.transport_type,
        computer.scheduler_type,
        user.email,
        row.enabled,
        row.auth_params,
        str(row.metadata.get('workdir') or work_dir_of(computer)),
    )


def configuration(storage: StorageBackend, computer: ComputerRow, user: UserRow) -> dict[str, Any] | None:
    """The parameters as they are stored; None if the computer is not configured for the user."""
    row = _find(storage, computer, user)
    return None if row is None else row.auth_params


def offered_parameters(
    storage: StorageBackend, computer: ComputerRow, user: UserRow, transport: str, account: Account
) -> dict[str, Any]:
    """What each parameter is if nothing is said: as it is stored, else the default.

    :raises ricordi.errors.ValidationError: the computer is reached by another transport.
    """
    if computer.transport_type != transport:
        raise ValidationError(
            f'computer {computer.label!r} is reached by {computer.transport_type}, not by {transport}',
            remedy=Remedy('configure computer', (computer.transport_type, computer.label)),
        )
    stored = configuration(storage, computer, user) or {}
    defaults = default_parameters(transport, computer.hostname, account)
    return {name: default if stored.get(name) is None else stored[name] for name, default in defaults.items()}


def configure_computer(
    storage: StorageBackend, computer: ComputerRow, user: UserRow, values: Mapping[str, Any]
) -> None:
    """Set the parameters by which a user reaches a computer; others that are stored stay, as in AiiDA.

    :param values: parameters of the computer's transport, converted.
    """
    known = {parameter.name for parameter in parameters_of(computer.transport_type)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValidationError(f'{computer.transport_type} has no parameter {", ".join(unknown)}')
    from ricordi.orm.computers import Computer
    from ricordi.orm.users import User

    with storage.transaction():
        Computer.from_row(computer, storage).configure(User.from_row(user, storage), **values)


def set_enabled(storage: StorageBackend, computer: ComputerRow, user: UserRow, enabled: bool) -> bool:
    """Let a user use a computer, or not; returns whether that is a change.

    :raises ricordi.errors.NotExistent: the computer is not configured for the user.
    """
    row = _required(storage, computer, user)
    if row.enabled == enabled:
        return False
    storage.update(EntityKind.AUTHINFO, row.pk, {'enabled': enabled})
    return True


def _required(storage: StorageBackend, computer: ComputerRow, user: UserRow) -> AuthInfoRow:
    row = _find(storage, computer, user)
    if row is None:
        raise NotExistent(
            f'computer {computer.label!r} is not configured for {user.email}',
            remedy=Remedy('configure computer', (computer.transport_type, computer.label)),
        )
    return row


def _find(storage: StorageBackend, computer: ComputerRow, user: UserRow) -> AuthInfoRow | None:
    equal = {'computer_pk': computer.pk, 'user_pk': user.pk}
    return next(storage.find(AuthInfoRow, equal, limit=1), None)
