"""The questions about who names which object, in SQL: what the databases have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from ricordi.backend.usage import OF_FILES, Category, Dimension
from ricordi.model.fields import ValueKind
from ricordi.storage.dialect import Dialect

Chosen = tuple[tuple[Dimension, Category | tuple[int, ...]], ...]
Statement = tuple[str, list[object]]

_PROCESS = (
    "coalesce(nullif(n.process_type, ''), (SELECT nullif(c.process_type, '') FROM db_dblink AS l "
    "JOIN db_dbnode AS c ON c.id = l.input_id WHERE l.output_id = n.id AND l.type = 'create' ORDER BY l.id LIMIT 1))"
)
_MEMBERSHIP = ' LEFT JOIN db_dbgroup_dbnodes AS g ON g.dbnode_id = n.id'
_ANY_MEMBERSHIP = 'EXISTS (SELECT 1 FROM db_dbgroup_dbnodes AS m WHERE m.dbnode_id = n.id{which})'


class UsageSql(ABC):
    """Statements for one kind of database."""

    month: ClassVar[str]
    """The month in which the node `n` was made, in UTC: `2025-03`."""
    keys: ClassVar[str]
    """What to add to `FROM db_dbnode AS n`, and a condition, so that there is a row for each name of an object."""
    key: ClassVar[str]
    """The object that such a row names, as it is read."""
    compared_key: ClassVar[str]
    """The same, to be compared with texts."""
    files: ClassVar[str]
    """As `keys`, so that the name of the file can be told as well; slower."""
    file_key: ClassVar[str]
    file_name: ClassVar[str]

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @property
    @abstractmethod
    def database_columns(self) -> str:
        """A SELECT of what the JSON columns of all nodes hold: attributes, extras, file trees; in bytes."""

    def guarded(self) -> UsageSql:
        """Statements for a table in which some rows hold no JSON (these name nothing), or no text."""
        return self

    def shown(self, value: str) -> str:
        """A value as it is read, where it may be no text."""
        return value

    def uses(self, dimensions: Sequence[Dimension], chosen: Chosen, with_names: bool) -> Statement:
        """Who names which object: (key, pk, whether it is chosen, how often, name of the file, categories …).

        The rows ascend by key and pk. Of a node that is in several groups there is a row for each, where groups are
        asked for. Whether a file or an object is chosen by its name or size is not told here: only whether its node is.

        :param dimensions: of nodes; the categories follow in this order.
        :param with_names: whether to tell the name of the file, which else is empty.
        """
        if with_names:
            source, key, name = self.files, self.file_key, self.file_name
        else:
            source, key, name = self.keys, self.key, "''"
        condition, parameters = self._condition(chosen)
        joins = ''.join(self._joins(by) for by in dimensions)
        categories = ''.join(f', {self.shown(self._category(by))}' for by in dimensions)
        ordinals = ', '.join(map(str, (1, 2, 3, *range(5, 6 + len(dimensions)))))
        return (
            f'SELECT {key} AS named, n.id, CASE WHEN {condition} THEN 1 ELSE 0 END, count(*), {name}{categories} '
            f'FROM db_dbnode AS n{source.replace("{joins}", joins)} GROUP BY {ordinals} ORDER BY 1, 2',
            parameters,
        )

    def counts(self, by: Dimension | None, chosen: Chosen) -> Statement:
        """How many of the nodes that are chosen are of each category: (category, number)."""
        condition, parameters = self._condition(chosen)
        category, joins = ('NULL', '') if by is None else (self.shown(self._category(by)), self._joins(by))
        group = '' if by is None else ' GROUP BY 1'
        return f'SELECT {category}, count(*) FROM db_dbnode AS n{joins} WHERE {condition}{group}', parameters

    def _category(self, by: Dimension) -> str:
        return {
            Dimension.TYPE: 'n.node_type',
            Dimension.PROCESS: _PROCESS,
            Dimension.GROUP: 'g.dbgroup_id',
            Dimension.COMPUTER: 'n.dbcomputer_id',
            Dimension.USER: 'n.user_id',
            Dimension.MONTH: self.month,
            Dimension.NODE: 'n.id',
        }.get(by, 'NULL')

    def _joins(self, by: Dimension) -> str:
        return _MEMBERSHIP if by is Dimension.GROUP else ''

    def _condition(self, chosen: Chosen) -> Statement:
        parts: list[str] = []
        parameters: list[object] = []
        for dimension, value in chosen:
            if dimension in OF_FILES:
                continue
            if dimension is Dimension.GROUP:
                which = '' if value is None else f' AND m.dbgroup_id = {self.dialect.mark}'
                parts.append(('NOT ' if value is None else '') + _ANY_MEMBERSHIP.format(which=which))
                parameters += [] if value is None else [value]
            elif isinstance(value, tuple):
                parts.append(f'n.id IN {self.dialect.table_of_values(ValueKind.INT)}')
                parameters.append(self.dialect.pack(value))
            elif value is None:
                parts.append(f'{self._category(dimension)} IS NULL')
            else:
                parts.append(f'{self._category(dimension)} = {self.dialect.mark}')
                parameters.append(value)
        return ' AND '.join(parts) or '1 = 1', parameters


def columns_of(names: Iterable[str], size: str) -> str:
    """A SELECT of the sums of the sizes of columns of the nodes.

    :param size: the bytes of one value; `{}` stands for the column.
    """
    sums = ', '.join(f'coalesce(sum({size.format(name)}), 0)' for name in names)
    return f'SELECT {sums} FROM db_dbnode'


JSON_COLUMNS = ('attributes', 'extras', 'repository_metadata')
