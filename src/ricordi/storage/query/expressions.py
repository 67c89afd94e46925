"""What a query asks of one field, as SQL: the part that each database says in its own way, as one abstract class."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from ricordi.backend.query import shown
from ricordi.errors import QueryTypeError
from ricordi.model.attribute_paths import AttributePath, may_be_indexed
from ricordi.model.fields import ValueKind
from ricordi.storage.query.numbers import is_huge, is_number
from ricordi.storage.query.parameters import Parameters
from ricordi.storage.values import encode_uuid

Decoder = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lies: a column, or inside its JSON.

    :param sql: the column, with the alias of its table.
    :param name: what the user calls it, for messages.
    :param nullable: whether there may be none.
    :param searched: whether an index of this column may help; False where another way to the row is better.
    """

    sql: str
    kind: ValueKind
    name: str
    nullable: bool
    path: tuple[str, ...] = ()
    searched: bool = True


class Expressions(ABC):
    """SQL for comparing and selecting values. What a user gave becomes a parameter.

    `calls_python` tells whether the SQL so far calls functions of `query_functions`.
    """

    mark: ClassVar[str]
    true: ClassVar[str] = 'TRUE'
    false: ClassVar[str] = 'FALSE'
    no_limit: ClassVar[str] = ''
    most_parameters: ClassVar[int | None] = None
    """How many parameters a statement may have, where it is not the database that tells."""
    calls_python = False
    indexed: Callable[[], frozenset[AttributePath]] = frozenset
    """Tells which values of JSON there are indexes of."""
    counted: Callable[[Callable[[Expressions], str], int], int] = staticmethod(lambda write, most: 0)
    """Tells how many rows fit a test, up to so many; it is written, with its table, on fresh expressions."""
    sorts_blindly: ClassVar[bool] = False
    """Whether the database does not know when rows in some order are found sooner by an index of that order."""

    def __init__(self) -> None:
        self.parameters = Parameters(self.mark)
        self.bind = self.parameters.bind
        self.bind_once = self.parameters.bind_once

    def holds_text(self, text: str) -> bool:
        """Whether the database can hold a text at all."""
        return True

    def constant(self, text: str) -> str:
        """A text in a condition that the planner should know, where that is safe; else a parameter."""
        return self.bind(text)

    # -- columns --------------------------------------------------------------------------------------------

    @abstractmethod
    def encode_time(self, moment: datetime) -> Any:
        """A time as the parameter that a column of times is compared with."""

    def encode_bool(self, value: bool) -> Any:
        """A truth value as a parameter."""
        return value

    def bare(self, place: Place) -> str:
        """The column for a comparison; kept from the search of indexes where `place.searched` says so."""
        return place.sql if place.searched else self.unsearched(place.sql)

    @abstractmethod
    def compare_text(self, sql: str, operator: str, parameter: str) -> str:
        """Order two texts by code points."""

    @abstractmethod
    def column_text(self, place: Place) -> str:
        """The value of a column as text; times as `YYYY-MM-DD HH:MM:SS.ffffff` in UTC."""

    @abstractmethod
    def like(self, text: str, pattern: str) -> str:
        """Whether a text matches a pattern (which ends in no lone backslash)."""

    @abstractmethod
    def ilike(self, text: str, pattern: str) -> str:
        """The same, upper and lower case alike."""

    @abstractmethod
    def one_of(self, sql: str, kind: ValueKind, values: Sequence[Any], negated: bool) -> str:
        """Whether a column holds one (none, if `negated`) of any number of encoded values."""

    # -- JSON -----------------------------------------------------------------------------------------------

    @abstractmethod
    def json_present(self, place: Place) -> str:
        """True where there is a value; not true where the key is missing or the value is null."""

    @abstractmethod
    def json_absent(self, place: Place) -> str:
        """True where the key is missing or the value is null."""

    @abstractmethod
    def json_has_type(self, place: Place, name: str) -> str:
        """Whether a value is of one of JSON's types but null; not true where the key is missing."""

    @abstractmethod
    def json_compare(self, place: Place, operator: str, value: Any) -> str:
        """`== < <= > >=` with a value of the same JSON type; false for another type, not true where nothing is."""

    @abstractmethod
    def json_one_of(self, place: Place, values: Sequence[Any]) -> str:
        """Whether a value equals one of any number of values, none of them None."""

    @abstractmethod
    def json_like(self, place: Place, pattern: str, ignore_case: bool) -> str:
        """Whether a value is a string that matches a pattern."""

    @abstractmethod
    def json_length(self, place: Place, operator: str, length: int) -> str:
        """Whether a value is an array whose length compares so."""

    @abstractmethod
    def json_has_key(self, place: Place, key: str) -> str:
        """Whether a value is an object with this key, or an array with this string in it."""

    @abstractmethod
    def json_contains(self, place: Place, value: Any) -> str:
        """Whether a value contains another, as `@>` of PostgreSQL defines it."""

    def has_index(self, place: Place, *more: str) -> bool:
        """Whether there is an index of what lies there, or at a key in it, that may be searched."""
        keys = (*place.path, *more)
        column = place.sql.rpartition('.')[2]
        return place.searched and may_be_indexed(column, keys) and AttributePath(column, keys) in self.indexed()

    def narrowed(self, place: Place, operator: str, value: Any, test: str) -> str:
        """A test with what an index answers before it, where there is one and it can."""
        more = (value,) if operator == 'has_key' else ()
        if more and place.path:  # what lies there may be a list, with the key for an item
            return test
        found = self.index_condition(place, operator, value) if self.has_index(place, *more) else ''
        return f'({found} AND {test})' if found else test

    def guesses_at(self, place: Place, operator: str, value: Any) -> bool:
        """Whether there is an index that can answer a test, and the database does not know of how many rows."""
        return False

    def by_index(self, place: Place) -> str:
        """What stands after the name of a table so that the index of a place is searched, which there is."""
        return ''

    @abstractmethod
    def index_condition(self, place: Place, operator: str, value: Any) -> str:
        """What an index of a place can answer and a test implies; empty where the test says it so, or none can."""

    # -- results --------------------------------------------------------------------------------------------

    @abstractmethod
    def select(self, place: Place) -> tuple[str, Decoder | None]:
        """What to select for a value, and what makes the Python value of it."""

    @abstractmethod
    def json_number(self, place: Place) -> str:
        """The value where it is a number, else NULL."""

    @abstractmethod
    def json_whole(self, place: Place) -> str:
        """The value without its fraction where it is a number, else NULL."""

    @abstractmethod
    def json_text(self, place: Place) -> str:
        """The value as text: a string as it is, anything else as JSON; NULL for null."""

    @abstractmethod
    def json_truth(self, place: Place) -> str:
        """1 for true, 0 for false, else NULL."""

    @abstractmethod
    def json_time(self, place: Place) -> str:
        """The value where it is a string with a date or time of ISO 8601 (UTC where it has no zone), else NULL."""

    @abstractmethod
    def json_rank(self, place: Place) -> str:
        """A number for the type of the value, to sort null, strings, numbers, booleans, arrays, objects."""

    @abstractmethod
    def group_key(self, place: Place) -> str:
        """What two rows must agree in to agree in a value."""

    @abstractmethod
    def aggregate_text(self, function: str, sql: str) -> str:
        """`min` or `max` of texts, by code points."""

    @abstractmethod
    def order_term(self, sql: str, is_text: bool, descending: bool, nullable: bool) -> str:
        """A term of ORDER BY: texts by code points; NULL last, first when descending."""

    # -- walks ----------------------------------------------------------------------------------------------

    def unsearched(self, sql: str) -> str:
        """A column for a comparison that no index shall be searched for."""
        return sql

    def links_from(self, near: str, far: str, node: str, few: bool) -> str:
        """JOIN with the links, as `link`, whose column `near` is `node`.

        :param few: whether each step of the walk comes from few nodes.
        """
        return f'JOIN db_dblink AS link ON link.{near} = {node}'

    @abstractmethod
    def path_of(self, first: str, second: str) -> str:
        """The path of one step."""

    @abstractmethod
    def longer_path(self, path: str, following: str) -> str:
        """A path with one more step."""

    @abstractmethod
    def not_on_path(self, path: str, pk: str) -> str:
        """Whether a path has not come by a node."""

    @abstractmethod
    def path_as_json(self, path: str) -> str:
        """A path as a JSON array of pks."""

    # -- shared ---------------------------------------------------------------------------------------------

    def decode_time(self, value: Any) -> datetime | None:
        """The aware UTC time of what a column of times, or `json_time`, was selected as."""
        return None if value is None else value.astimezone(UTC)

    def encode(self, place: Place, value: Any) -> Any:
        """The parameter for a value that a column is compared with; `NO_MATCH` where no row can equal it.

        :raises ricordi.errors.QueryTypeError: the column never holds such values.
        """
        kind = place.kind
        if kind is ValueKind.TEXT and isinstance(value, str):
            return value if self.holds_text(value) else NO_MATCH
        if kind is ValueKind.INT and is_number(value):
            return _in_64_bits(value)
        if kind is ValueKind.INT and isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value) if len(value) < _DIGITS_OF_64_BITS else math.inf
        if kind is ValueKind.UUID and isinstance(value, str):
            return _uuid_or_no_match(value)
        if kind is ValueKind.BOOL and isinstance(value, bool):
            return self.encode_bool(value)
        if kind is ValueKind.TIME:
            moment = _as_time(value)
            if moment is not None:
                return self.encode_time(moment)
        raise QueryTypeError(
            f'{place.name!r} holds {_KIND_NAMES[kind]}: it cannot be compared with {shown(value)}, '
            f'a {type(value).__name__}'
        )


NO_MATCH = object()
_DIGITS_OF_64_BITS = 19

_KIND_NAMES = {
    ValueKind.INT: 'whole numbers',
    ValueKind.TEXT: 'texts',
    ValueKind.UUID: 'uuids',
    ValueKind.BOOL: 'True or False',
    ValueKind.TIME: 'times (a datetime, or text of ISO 8601)',
    ValueKind.JSON: 'JSON',
}


def _in_64_bits(value: float) -> Any:
    """A number to compare a column of integers with: the larger ones are beyond all of its values."""
    if is_huge(value):
        return math.inf if value > 0 else -math.inf
    return NO_MATCH if math.isnan(value) else value


def _uuid_or_no_match(value: str) -> Any:
    try:
        return encode_uuid(value, 'uuid')
    except ValueError:
        return NO_MATCH


def _as_time(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
            value = (value if value.tzinfo else value.astimezone()).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.astimezone()
