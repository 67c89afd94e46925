"""Records are what the standard library's dataclasses and named tuples are, whatever is asked of them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from typing import Any, ClassVar

import pytest

from ricordi.records import NamedTuple, dataclass, field


@dataclass(frozen=True, slots=True)
class Rest:
    """A rest in a bar."""

    length: int
    name: str | None = None
    dots: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class LibraryRest:
    """A rest in a bar."""

    length: int
    name: str | None = None
    dots: tuple[int, ...] = ()


@dataclass(slots=True)
class Bar:
    """A bar, that may be changed."""

    kind: ClassVar[str] = 'bar'

    number: int = 0
    rests: list[Rest] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checked:
    """A value that is looked at."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError('negative')

    def __repr__(self) -> str:
        return f'<{self.value}>'


@dataclasses.dataclass(frozen=True, slots=True)
class LongRest(Rest):
    """A record of the library that derives from ours."""

    bars: int = 1


@dataclass(frozen=True, slots=True)
class Single:
    """One field, whose value decides about equality as a part of a tuple does."""

    value: float


class Pair(NamedTuple):
    """Two."""

    left: int
    right: str = 'r'

    @property
    def both(self) -> str:
        """The two as one text."""
        return f'{self.left}{self.right}'


def test_a_record_is_written_compared_and_hashed_as_one_of_the_library() -> None:
    assert repr(Rest(4, dots=(1,))) == repr(LibraryRest(4, dots=(1,))).removeprefix('Library')
    assert Rest(4) == Rest(4, None, ())
    assert Rest(4) != Rest(8)
    assert hash(Rest(4)) == hash(Rest(4, None))
    assert Rest(4).__eq__(LibraryRest(4)) is NotImplemented
    not_a_number = float('nan')
    assert Single(not_a_number) == Single(not_a_number)


def test_a_record_tells_its_arguments_and_fields_as_one_of_the_library() -> None:
    assert inspect.signature(Rest) == inspect.signature(LibraryRest)
    assert typing.get_type_hints(Rest) == typing.get_type_hints(LibraryRest)
    ours, theirs = dataclasses.fields(Rest), dataclasses.fields(LibraryRest)
    assert [(one.name, one.type, one.default) for one in ours] == [(one.name, one.type, one.default) for one in theirs]
    assert Rest.__match_args__ == LibraryRest.__match_args__
    assert Rest.__doc__ == LibraryRest.__doc__
    assert not hasattr(Rest(1), '__dict__')
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'length'"):
        Rest()  # type: ignore[call-arg]


def test_a_frozen_record_stays_as_it_is() -> None:
    rest = Rest(4)
    with pytest.raises(dataclasses.FrozenInstanceError, match=r"cannot assign to field 'length'"):
        rest.length = 8  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match=r"cannot delete field 'length'"):
        del rest.length
    assert rest == Rest(4)


@pytest.mark.parametrize('record', [Rest(4, 'long', (1, 2)), Bar(3, [Rest(1)]), Pair(1)])
def test_a_record_survives_copies_and_pickle(record: Any) -> None:
    assert copy.deepcopy(record) == copy.copy(record) == pickle.loads(pickle.dumps(record)) == record


def test_what_the_library_offers_for_records_works() -> None:
    assert dataclasses.replace(Rest(4), name='long') == Rest(4, 'long')
    assert dataclasses.asdict(Bar(1, [Rest(4)])) == {
        'number': 1,
        'rests': [{'length': 4, 'name': None, 'dots': ()}],
    }
    assert dataclasses.is_dataclass(Rest)
    assert LongRest(4, bars=2) != LongRest(4)
    assert repr(LongRest(4, bars=2)) == 'LongRest(length=4, name=None, dots=(), bars=2)'


def test_a_default_that_is_made_anew_belongs_to_one_record() -> None:
    one, other = Bar(), Bar()
    one.rests.append(Rest(1))
    assert (one.rests, other.rests, Bar.kind) == ([Rest(1)], [], 'bar')
    with pytest.raises(TypeError, match='unhashable'):
        hash(one)


def test_what_a_class_declares_itself_is_kept() -> None:
    assert repr(Checked(1)) == '<1>'
    with pytest.raises(ValueError, match='negative'):
        Checked(-1)


def test_a_record_without_slots_is_one_of_the_library() -> None:
    @dataclass()
    class Open:
        parts: list[int] = field(default_factory=list)

    assert dataclasses.asdict(Open([1])) == {'parts': [1]}
    assert Open().__dict__ == {'parts': []}


def test_a_named_tuple_has_names_defaults_and_what_its_class_adds() -> None:
    pair = Pair(1)
    assert (pair, pair.both, pair._replace(left=2)) == ((1, 'r'), '1r', (2, 'r'))
    assert (Pair._fields, Pair._field_defaults, Pair.__doc__) == (('left', 'right'), {'right': 'r'}, 'Two.')
    assert str(inspect.signature(Pair)) == "(left: 'int', right: 'str' = 'r')"
    assert Pair.__module__ == __name__
