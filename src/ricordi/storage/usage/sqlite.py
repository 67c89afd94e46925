"""Who names which object, in the SQL of SQLite."""

from __future__ import annotations

from typing import ClassVar

from ricordi.model.file_trees import FILE
from ricordi.storage.usage.sql import JSON_COLUMNS, UsageSql, columns_of

_TREE = 'n.repository_metadata'
_KEY = f'$.{FILE}'
_TREE_OR_NONE = f"CASE WHEN typeof({_TREE}) = 'text' AND json_valid({_TREE}) THEN {_TREE} ELSE '0' END"
"""What is no JSON would end a whole query; a number is none that a file tree can be, and names nothing."""


def _keys(tree: str) -> str:
    condition = f"{_TREE} <> '{{}}' AND tree.key = '{FILE}' AND tree.type = 'text'"
    return f'{{joins}}, json_tree({tree}) AS tree WHERE {condition}'


def _files(tree: str) -> str:
    condition = f"{_TREE} <> '{{}}' AND tree.type = 'object' AND json_type(tree.value, '{_KEY}') = 'text'"
    return f'{{joins}}, json_tree({tree}) AS tree WHERE {condition}'


class SqliteUsageSql(UsageSql):
    """Statements for SQLite."""

    month: ClassVar[str] = 'substr(n.ctime, 1, 7)'
    keys: ClassVar[str] = _keys(_TREE)
    key: ClassVar[str] = 'tree.atom'
    compared_key: ClassVar[str] = 'tree.atom'  # bytes are equal to no text, so this one is never read as such
    files: ClassVar[str] = _files(_TREE)
    file_key: ClassVar[str] = f"json_extract(tree.value, '{_KEY}')"
    file_name: ClassVar[str] = "ifnull(tree.key, '')"

    def guarded(self) -> UsageSql:
        return GuardedSqliteUsageSql(self.dialect)

    @property
    def database_columns(self) -> str:
        return columns_of(JSON_COLUMNS, 'length(CAST({} AS BLOB))')


class GuardedSqliteUsageSql(SqliteUsageSql):
    """The same for a table in which some rows hold no JSON, or no text in the place of a key or name."""

    keys = _keys(_TREE_OR_NONE)
    key = 'CAST(tree.atom AS BLOB)'
    files = _files(_TREE_OR_NONE)
    file_key = f"CAST(json_extract(tree.value, '{_KEY}') AS BLOB)"
    file_name = "CAST(ifnull(tree.key, '') AS BLOB)"

    def shown(self, value: str) -> str:
        return f"CASE WHEN typeof({value}) = 'text' THEN CAST({value} AS BLOB) ELSE {value} END"
