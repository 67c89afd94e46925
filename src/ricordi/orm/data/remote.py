"""A node that stands for a folder on a computer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ricordi.errors import NotExistent, ValidationError
from ricordi.orm.data.data import Data

if TYPE_CHECKING:
    from ricordi.orm.authinfos import AuthInfo


class RemoteData(Data, node_type='data.core.remote.RemoteData.'):
    """A folder on a computer, kept as the attribute `remote_path`. What is in it is not in the storage."""

    KEY_EXTRA_CLEANED = 'cleaned'

    def __init__(self, remote_path: str | None = None, **kwargs: Any) -> None:
        """
        :param remote_path: absolute path on the computer, which is given as `computer`.
        """
        super().__init__(**kwargs)
        if remote_path is not None:
            self.set_remote_path(remote_path)

    def get_remote_path(self) -> str:
        """The path on the computer."""
        return str(self.base.attributes.get('remote_path'))

    def set_remote_path(self, val: str) -> None:
        """Set the path on the computer."""
        self.base.attributes.set('remote_path', str(val))

    @property
    def is_cleaned(self) -> bool:
        """Whether the folder is known to have been emptied."""
        return bool(self.base.extras.get(self.KEY_EXTRA_CLEANED, False))

    def get_authinfo(self) -> AuthInfo:
        """How the owner of the node reaches the computer.

        :raises ricordi.errors.NotExistent: the node has no computer, or it is not configured.
        """
        if self.computer is None:
            raise NotExistent(f'{self!r} is bound to no computer')
        return self.computer.get_authinfo(self.user)

    def _validate(self) -> None:
        super()._validate()
        if 'remote_path' not in self.base.attributes:
            raise ValidationError(f'{self!r} has no remote_path')
        if self.row.computer_pk is None:
            raise ValidationError(f'{self!r} is bound to no computer: set node.computer')
