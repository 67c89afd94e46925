"""Records that cost little where they are declared: what a short command waits for is mostly the making of classes.

`dataclass`, `field` and `NamedTuple` mean what those of the standard library mean, and a type checker sees these; here
they are made several times faster. A declaration that asks for more (`InitVar`, a record that derives from another, one
without slots) is left to the standard library.
"""

from __future__ import annotations

from collections import namedtuple
from operator import attrgetter

TYPE_CHECKING = False  # so that `typing` need not be imported by what does without
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field
    from typing import Any, NamedTuple, NoReturn

__all__ = ['NamedTuple', 'dataclass', 'field']

_FIELDS = '__dataclass_fields__'
_PARAMETERS = '__dataclass_params__'
_FOR_PICKLE = ('__getstate__', '__setstate__')
_MADE_ANEW: Any = object()
"""The default of an argument whose value is made anew for each record."""


class _Factory:
    """The default of a field whose value is made anew for each record."""

    def __init__(self, *, default_factory: Callable[[], Any]) -> None:
        self.make = default_factory


def _make_record(frozen: bool = False, slots: bool = False) -> Callable[[type], type]:
    """Make a record of a class that declares fields, as `dataclasses.dataclass` does.

    :param frozen: its values stay as they are; it has a hash.
    :param slots: an object of it has no room for anything else.
    """

    def decorate(cls: type) -> type:
        annotations = {name: kind for name, kind in cls.__annotations__.items() if 'ClassVar' not in str(kind)}
        defaults = {name: vars(cls)[name] for name in annotations if name in vars(cls)}
        if not slots or cls.__bases__ != (object,) or any('InitVar' in str(kind) for kind in annotations.values()):
            return _as_in_library(cls, annotations, defaults, frozen, slots)
        left_out = (*annotations, '__dict__', '__weakref__')
        namespace = {name: value for name, value in vars(cls).items() if name not in left_out}
        made = type(cls)(cls.__name__, cls.__bases__, namespace | {'__slots__': tuple(annotations)})
        made.__qualname__ = cls.__qualname__
        for name, value in _methods(made, annotations, defaults, frozen).items():
            if namespace.get(name) is None:
                setattr(made, name, value)
        return made

    return decorate


def _as_in_library(
    cls: type, annotations: dict[str, Any], defaults: dict[str, Any], frozen: bool, slots: bool = False
) -> type:
    """What the standard library makes of a class."""
    import dataclasses

    for name in annotations:
        if isinstance(value := defaults.get(name), _Factory):
            setattr(cls, name, dataclasses.field(default_factory=value.make))
    return dataclasses.dataclass(frozen=frozen, slots=slots)(cls)


def _methods(cls: type, annotations: dict[str, Any], defaults: dict[str, Any], frozen: bool) -> dict[str, Any]:
    """What a record is given that it does not declare itself."""
    names = tuple(annotations)
    values: Callable[[Any], Any] = attrgetter(*names) if len(names) > 1 else _one_or_none(names)

    def __eq__(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(values(self))

    def __repr__(self: Any) -> str:
        told = ', '.join(f'{name}={getattr(self, name)!r}' for name in names)
        return f'{self.__class__.__qualname__}({told})'

    methods = {
        '__init__': _initializer(cls, annotations, defaults, frozen),
        '__eq__': __eq__,
        '__hash__': __hash__ if frozen else None,
        '__repr__': __repr__,
        '__match_args__': names,
        _FIELDS: _AsInLibrary(_FIELDS, annotations, defaults, frozen),
        _PARAMETERS: _AsInLibrary(_PARAMETERS, annotations, defaults, frozen),
    }
    return methods | _frozen_methods(cls, names) if frozen else methods


def _one_or_none(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda record: tuple(getattr(record, name) for name in names)


def _initializer(cls: type, annotations: dict[str, Any], defaults: dict[str, Any], frozen: bool) -> Callable[..., None]:
    """The `__init__` of a record; it puts values into the slots of a frozen one past what guards them."""
    known: dict[str, Any] = {'_made_anew': _MADE_ANEW}
    arguments, lines = [], []
    for name in annotations:
        argument, value = name, name
        if name in defaults:
            default = defaults[name]
            argument = f'{name}=_default_{name}'
            if isinstance(default, _Factory):
                known[f'_make_{name}'] = default.make
                value = f'_make_{name}() if {name} is _made_anew else {name}'
                default = _MADE_ANEW
            known[f'_default_{name}'] = default
        known[f'_put_{name}'] = vars(cls)[name].__set__
        arguments.append(argument)
        lines.append(f' _put_{name}(self, {value})' if frozen else f' self.{name} = {value}')
    if hasattr(cls, '__post_init__'):
        lines.append(' self.__post_init__()')
    made: dict[str, Any] = {}
    exec('\n'.join((f'def __init__(self, {", ".join(arguments)}):', *(lines or [' pass']))), known, made)
    initializer: Callable[..., None] = made['__init__']
    initializer.__qualname__ = f'{cls.__qualname__}.__init__'
    initializer.__annotations__ = {**annotations, 'return': None}
    return initializer


def _frozen_methods(cls: type, names: tuple[str, ...]) -> dict[str, Any]:
    """What keeps the values of a record as they are, and lets `pickle` make one all the same."""

    def refuse(self: Any, name: str, *value: object) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f'cannot {"assign to" if value else "delete"} field {name!r}')

    def __getstate__(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def __setstate__(self: Any, state: list[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    kept: dict[str, Any] = {'__setattr__': refuse, '__delattr__': refuse}
    if any(name in vars(cls) for name in _FOR_PICKLE):
        return kept
    return kept | {'__getstate__': __getstate__, '__setstate__': __setstate__}


class _AsInLibrary:
    """What `dataclasses.fields`, `asdict` and `replace` ask of a record: made when they ask for the first time."""

    def __init__(self, name: str, annotations: dict[str, Any], defaults: dict[str, Any], frozen: bool) -> None:
        self._declared = name, annotations, defaults, frozen

    def __get__(self, record: object, cls: type) -> Any:
        name, annotations, defaults, frozen = self._declared
        twin = type(cls.__name__, (), {'__annotations__': annotations, **defaults})
        value = getattr(_as_in_library(twin, annotations, defaults, frozen), name)
        setattr(cls, name, value)
        return value


class _TupleMaker(type):
    """Makes a named tuple of a class that declares fields."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        annotations = type(name, (), dict(namespace)).__annotations__
        defaults = [namespace[field] for field in annotations if field in namespace]
        make: Any = namedtuple  # its types want words that stand in the source
        made = make(name, annotations, defaults=defaults, module=namespace['__module__'])
        made.__annotations__ = made.__new__.__annotations__ = annotations
        for key, value in namespace.items():
            if key not in annotations:
                setattr(made, key, value)
        return made


if not TYPE_CHECKING:
    dataclass, field = _make_record, _Factory

    def NamedTuple() -> None:
        """The base of a class that declares a named tuple."""

    NamedTuple.__mro_entries__ = lambda bases: (type.__new__(_TupleMaker, 'NamedTuple', (), {}),)
