"""A node that wraps a member of a Python enum."""

from __future__ import annotations

import enum
from typing import Any

from ricordi.errors import UntrustedModule
from ricordi.orm.aiida_places import ENUMS, own_enum
from ricordi.orm.data.data import Data
from ricordi.orm.named_classes import find_named


class EnumData(Data, node_type='data.core.enum.EnumData.'):
    """A member of an enum, kept as its name, its value, and where its class is (`module:Class`)."""

    KEY_NAME = 'name'
    KEY_VALUE = 'value'
    KEY_IDENTIFIER = 'identifier'

    def __init__(self, member: enum.Enum, **kwargs: Any) -> None:
        """
        :param member: a member of an enum whose class can be imported.
        :raises TypeError: it is none.
        """
        if not isinstance(member, enum.Enum):
            raise TypeError(f'a member of an enum is needed, got {member!r}')
        super().__init__(**kwargs)
        cls = type(member)
        place = f'{cls.__module__}:{cls.__qualname__}'
        values = {
            self.KEY_NAME: member.name,
            self.KEY_VALUE: member.value,
            self.KEY_IDENTIFIER: ENUMS.get(place, place),
        }
        self.base.attributes.set_many(values)

    @property
    def name(self) -> str:
        """The name of the member."""
        return str(self.base.attributes.get(self.KEY_NAME))

    @property
    def value(self) -> Any:
        """The value of the member."""
        return self.base.attributes.get(self.KEY_VALUE)

    @property
    def identifier(self) -> str:
        """Where the class is: `module:Class`; of an enum that AiiDA has as well, where AiiDA has it."""
        return str(self.base.attributes.get(self.KEY_IDENTIFIER))

    @property
    def member(self) -> enum.Enum:
        """The member itself."""
        return self.get_member()

    def get_enum(self) -> type[enum.Enum]:
        """The class of the member. Only an enum counts, and only of a module that is imported, or that the user trusts.

        :raises ricordi.errors.UntrustedModule: see `ricordi.orm.trust_modules`.
        :raises ImportError: it is not where it was.
        """
        module, _, name = own_enum(self.identifier).partition(':')
        try:
            found = find_named(module, name)
        except UntrustedModule as error:
            raise UntrustedModule(f'{self.identifier} of {self!r}: {error}') from None
        except ImportError as error:
            raise ImportError(f'the enum {self.identifier} of {self!r} cannot be imported: {error}') from error
        # Checked before it is called: what a stranger's node names may be any function.
        if not isinstance(found, type) or not issubclass(found, enum.Enum) or not found.__members__:
            raise ImportError(f'{self.identifier} of {self!r} is no enum')
        return found

    def get_member(self) -> enum.Enum:
        """The member itself.

        :raises ImportError: its class is not where it was.
        :raises ValueError: the class has no member of this value any more.
        """
        cls = self.get_enum()
        try:
            return cls(self.value)
        except ValueError as error:
            raise ValueError(f'{self!r}: {error}; the enum has changed since the node was stored') from None

    def json_value(self) -> Any:
        """What stands for this node inside attributes and extras of another."""
        return self.value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, enum.Enum):
            try:
                return self.get_member() == other
            except (ImportError, ValueError):
                return False
        return isinstance(other, EnumData) and self.row.attributes == other.row.attributes

    __hash__ = None  # type: ignore[assignment] # nodes are equal by their member
