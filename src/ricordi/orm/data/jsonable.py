"""A node that wraps an object with `as_dict()` and `from_dict()`."""

from __future__ import annotations

import json
from typing import Any

from ricordi.errors import UntrustedModule
from ricordi.orm.data.data import Data
from ricordi.orm.named_classes import find_named

_METHODS = ('as_dict', 'from_dict')
_CONSTANTS = {'Infinity': float('inf'), '-Infinity': float('-inf'), 'NaN': float('nan')}


class JsonableData(Data, node_type='data.core.jsonable.JsonableData.'):
    """An object, kept as what its `as_dict()` gives; `obj` makes it anew with `from_dict()` of its class."""

    _obj: Any = None

    def __init__(self, obj: Any, **kwargs: Any) -> None:
        """
        :param obj: an object whose `as_dict()` gives JSON.
        :raises TypeError: it has no such method, or that gives no JSON.
        """
        if not callable(getattr(obj, 'as_dict', None)):
            raise TypeError(f'an object with a method as_dict() is needed, got {obj!r}')
        super().__init__(**kwargs)
        self._obj = obj
        values = {'@class': type(obj).__name__, '@module': type(obj).__module__, **obj.as_dict()}
        try:
            # NaN and infinities become text: databases have no other way to keep them
            plain = json.loads(json.dumps(values), parse_constant=lambda name: name)
        except TypeError as error:
            raise TypeError(f'as_dict() of {obj!r} gives no JSON: {error}') from None
        self.base.attributes.set_many(plain)

    @property
    def the_module(self) -> str:
        """The module of the object's class."""
        return str(self.base.attributes.get('@module', ''))

    @property
    def the_class(self) -> str:
        """The name of the object's class."""
        return str(self.base.attributes.get('@class', ''))

    @property
    def obj(self) -> Any:
        """The object; made when it is first asked for. Its class has to be one that this node could be made of, of a
        module that is imported, or that the user trusts.

        :raises ricordi.errors.UntrustedModule: see `ricordi.orm.trust_modules`.
        :raises ImportError: its class cannot be imported.
        """
        if self._obj is None:
            values = self.base.attributes.all if self.is_stored else dict(self.base.attributes.all)
            values.pop('@class', None)
            values.pop('@module', None)
            self._obj = self._find_class().from_dict(_with_constants(values))
        return self._obj

    def _find_class(self) -> Any:
        name = f'{self.the_module}.{self.the_class}'
        try:
            found = find_named(self.the_module, self.the_class)
        except UntrustedModule as error:
            raise UntrustedModule(f'{name} of {self!r}: {error}') from None
        except ImportError as error:
            raise ImportError(f'{name} of {self!r} cannot be imported: {error}') from error
        # Checked before it is called: what a stranger's node names may be anything.
        if not isinstance(found, type) or not all(callable(getattr(found, each, None)) for each in _METHODS):
            raise ImportError(f'{name} of {self!r} is no class with as_dict() and from_dict()')
        return found


def _with_constants(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_constants(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_constants(item) for item in value]
    return _CONSTANTS.get(value, value) if isinstance(value, str) else value
