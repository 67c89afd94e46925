"""Fields of entities as objects, to write filters as Python: `(Int.fields.value > 3) & (Node.fields.label == 'x')`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ricordi.errors import QueryTypeError

_NEGATED_JUNCTION = {'and': '!and', 'or': '!or', '!and': 'and', '!or': 'or'}


class QbField:
    """A field of an entity: compare it to get a filter, or name it in a projection or an order."""

    __slots__ = ('_alias', '_in_attributes', '_key', 'doc', 'dtype')

    def __init__(
        self, key: str, alias: str | None = None, *, dtype: type | None = None, doc: str = '', is_attribute: bool = True
    ) -> None:
        """
        :param key: its name on the entity.
        :param alias: its name in the storage, if another.
        :param dtype: what it holds; None: this varies.
        :param is_attribute: whether it lies in the attributes of a node.
        """
        self._key = key
        self._alias = key if alias is None else alias
        self._in_attributes = is_attribute
        self.dtype = dtype
        self.doc = doc

    @property
    def key(self) -> str:
        """Its name on the entity."""
        return self._key

    @property
    def backend_key(self) -> str:
        """Its name in the language of `QueryBuilder`: `attributes.value`."""
        return f'attributes.{self._alias}' if self._in_attributes else self._alias

    def in_(self, value: Iterable[Any]) -> QbFieldFilters:
        """The value is one of these."""
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise QueryTypeError(f'in_ takes a list of values, not {value!r}')
        return self._filter('in', list(value))

    def _filter(self, operator: str, value: Any) -> QbFieldFilters:
        return QbFieldFilters({self.backend_key: {operator: value}})

    def _filter_length(self, operator: str, value: int) -> QbFieldFilters:
        if not isinstance(value, int) or isinstance(value, bool):
            raise QueryTypeError(f'{operator} takes a whole number, not {value!r}')
        return self._filter(operator, value)

    def _filter_pattern(self, operator: str, value: str) -> QbFieldFilters:
        if not isinstance(value, str):
            raise QueryTypeError(f'{operator} takes a pattern, not {value!r}')
        return self._filter(operator, value)

    def __eq__(self, value: object) -> QbFieldFilters:  # type: ignore[override]
        return self._filter('==', value)

    def __ne__(self, value: object) -> QbFieldFilters:  # type: ignore[override]
        return self._filter('!==', value)

    def __hash__(self) -> int:
        return hash((self._key, self.backend_key))

    def __repr__(self) -> str:
        kind = self.dtype.__name__ if self.dtype else 'any'
        return f'{type(self).__name__}({self.backend_key!r}, {kind})'


class QbNumericField(QbField):
    """A number or a time."""

    __slots__ = ()

    def __lt__(self, value: Any) -> QbFieldFilters:
        return self._filter('<', value)

    def __le__(self, value: Any) -> QbFieldFilters:
        return self._filter('<=', value)

    def __gt__(self, value: Any) -> QbFieldFilters:
        return self._filter('>', value)

    def __ge__(self, value: Any) -> QbFieldFilters:
        return self._filter('>=', value)


class QbBoolField(QbField):
    """A boolean; by itself it is the filter that it is True."""

    __slots__ = ()

    def as_filter(self) -> QbFieldFilters:
        """The value is True."""
        return self._filter('==', True)

    def __and__(self, other: QbFieldFilters | QbBoolField) -> QbFieldFilters:
        return self.as_filter() & other

    def __or__(self, other: QbFieldFilters | QbBoolField) -> QbFieldFilters:
        return self.as_filter() | other

    def __invert__(self) -> QbFieldFilters:
        return ~self.as_filter()


class QbArrayField(QbField):
    """A list."""

    __slots__ = ()

    def contains(self, value: Any) -> QbFieldFilters:
        """All of these items are in it."""
        return self._filter('contains', value)

    def of_length(self, value: int) -> QbFieldFilters:
        """It has this many items."""
        return self._filter_length('of_length', value)

    def longer(self, value: int) -> QbFieldFilters:
        """It has more items than this."""
        return self._filter_length('longer', value)

    def shorter(self, value: int) -> QbFieldFilters:
        """It has fewer items than this."""
        return self._filter_length('shorter', value)


class QbStrField(QbField):
    """A text."""

    __slots__ = ()

    def like(self, value: str) -> QbFieldFilters:
        """It matches a pattern: `%` any characters, `_` any one; a backslash takes the meaning from what follows."""
        return self._filter_pattern('like', value)

    def ilike(self, value: str) -> QbFieldFilters:
        """As `like`, upper and lower case alike."""
        return self._filter_pattern('ilike', value)


class QbDictField(QbField):
    """A dictionary; `field['key']` is what lies in it."""

    __slots__ = ()

    def has_key(self, value: str) -> QbFieldFilters:
        """It has this key."""
        return self._filter('has_key', value)

    def contains(self, value: Any) -> QbFieldFilters:
        """These keys with these values are in it."""
        return self._filter('contains', value)

    def __getitem__(self, key: str) -> QbAnyField:
        return QbAnyField(f'{self._key}.{key}', f'{self._alias}.{key}', is_attribute=self._in_attributes)


class QbAnyField(QbNumericField, QbArrayField, QbStrField, QbDictField):
    """What may hold anything: all comparisons are offered."""

    __slots__ = ()

    def of_type(self, value: str) -> QbFieldFilters:
        """It is of a JSON type: `object array string number boolean null`."""
        return self._filter('of_type', value)


class QbAttributesField(QbDictField):
    """The attributes of a node; those its class declares are offered by name, `fields.attributes.value`."""

    __slots__ = ('_declared',)

    def __init__(self, declared: Mapping[str, QbField]) -> None:
        super().__init__('attributes', dtype=dict, is_attribute=False)
        self._declared = declared

    def __getitem__(self, key: str) -> Any:
        return self._declared.get(key) or super().__getitem__(key)

    def __getattr__(self, key: str) -> QbField:
        if not key.startswith('_') and key in self._declared:
            return self._declared[key]
        raise AttributeError(key)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._declared})


class QbFieldFilters:
    """A filter in the language of `QueryBuilder`; combine with `&`, `|` and `~`."""

    __slots__ = ('filters',)

    def __init__(self, filters: Mapping[str, Any]) -> None:
        self.filters: dict[str, Any] = dict(filters)

    def as_dict(self) -> dict[str, Any]:
        """The filter as `QueryBuilder.append` takes it."""
        return self.filters

    def items(self) -> Iterable[tuple[str, Any]]:
        """As of a dictionary."""
        return self.filters.items()

    def __contains__(self, key: str) -> bool:
        return key in self.filters

    def __getitem__(self, key: str) -> Any:
        return self.filters[key]

    def __and__(self, other: QbFieldFilters | QbBoolField) -> QbFieldFilters:
        return self._join('and', other)

    def __or__(self, other: QbFieldFilters | QbBoolField) -> QbFieldFilters:
        return self._join('or', other)

    def __invert__(self) -> QbFieldFilters:
        if len(self.filters) > 1:
            return QbFieldFilters({'!and': [{key: value} for key, value in self.filters.items()]})
        ((key, value),) = self.filters.items()
        if key in _NEGATED_JUNCTION:
            return QbFieldFilters({_NEGATED_JUNCTION[key]: value})
        if not isinstance(value, dict) or len(value) > 1:
            return QbFieldFilters({'!and': [{key: value}]})
        ((operator, operand),) = value.items()
        return QbFieldFilters({key: {operator[1:] if operator[0] in '!~' else f'!{operator}': operand}})

    def _join(self, junction: str, other: QbFieldFilters | QbBoolField) -> QbFieldFilters:
        if isinstance(other, QbBoolField):
            other = other.as_filter()
        if not isinstance(other, QbFieldFilters):
            raise QueryTypeError(f'{other!r} is not a filter: put each comparison in parentheses, (a == 1) & (b > 2)')
        if other == self:
            return self
        return QbFieldFilters({junction: [*self._parts(junction), *other._parts(junction)]})

    def _parts(self, junction: str) -> list[dict[str, Any]]:
        if len(self.filters) == 1 and junction in self.filters:
            return list(self.filters[junction])
        return [self.filters]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QbFieldFilters) and self.filters == other.filters

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'QbFieldFilters({self.filters})'


class QbFields:
    """The fields of a class, by name: `Int.fields.value`, `Int.fields['value']`."""

    def __init__(self, fields: Mapping[str, QbField] | None = None) -> None:
        self._fields = dict(fields or {})

    def keys(self) -> list[str]:
        """Names in the language of `QueryBuilder`, sorted."""
        return sorted(field.backend_key for field in self._fields.values())

    def __getitem__(self, key: str) -> Any:
        return self._fields[key]

    def __getattr__(self, key: str) -> Any:
        try:
            return self.__dict__['_fields'][key]
        except KeyError:
            raise AttributeError(f'no field {key!r}; there are {", ".join(self.__dict__.get("_fields", ()))}') from None

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._fields})

    def __repr__(self) -> str:
        return f'QbFields({list(self._fields)})'


_FIELD_CLASSES: dict[type, type[QbField]] = {
    int: QbNumericField,
    float: QbNumericField,
    datetime: QbNumericField,
    bool: QbBoolField,
    str: QbStrField,
    list: QbArrayField,
    dict: QbDictField,
}


def make_field(key: str, dtype: type | None, *, is_attribute: bool, alias: str | None = None) -> QbField:
    """A field that offers the comparisons that its type allows.

    :param dtype: `int float datetime bool str list dict`; None for what may hold anything.
    :param alias: its name in the storage, if another.
    """
    field_class = QbAnyField if dtype is None else _FIELD_CLASSES.get(dtype, QbAnyField)
    return field_class(key, alias, dtype=dtype, is_attribute=is_attribute)
