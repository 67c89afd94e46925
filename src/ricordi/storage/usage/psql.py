"""Who names which object, in the SQL of PostgreSQL."""

from __future__ import annotations

from typing import ClassVar

from ricordi.model.file_trees import FILE, FOLDER
from ricordi.storage.usage.sql import JSON_COLUMNS, UsageSql, columns_of

_TREE = 'n.repository_metadata'
_ANY_KEY = f'$.**.{FILE} ? (@.type() == "string")'
_ANY_FOLDER = f'$.**.{FOLDER} ? (@.type() == "object")'


class PsqlUsageSql(UsageSql):
    """Statements for PostgreSQL."""

    month: ClassVar[str] = "to_char(n.ctime AT TIME ZONE 'UTC', 'YYYY-MM')"
    keys: ClassVar[str] = (
        f"{{joins}} CROSS JOIN LATERAL jsonb_path_query({_TREE}, '{_ANY_KEY}') AS value WHERE {_TREE} <> '{{}}'"
    )
    key: ClassVar[str] = '(value #>> \'{}\') COLLATE "C"'
    compared_key: ClassVar[str] = key
    # A folder that is itself called `o` looks like its entries, but what lies in it has no text as its key then.
    files: ClassVar[str] = (
        f"{{joins}} CROSS JOIN LATERAL jsonb_path_query({_TREE}, '{_ANY_FOLDER}') AS folder "
        f"CROSS JOIN LATERAL jsonb_each(folder) AS entry WHERE {_TREE} <> '{{}}' "
        f"AND jsonb_typeof(entry.value -> '{FILE}') = 'string'"
    )
    file_key: ClassVar[str] = f'(entry.value ->> \'{FILE}\') COLLATE "C"'
    file_name: ClassVar[str] = 'entry.key'

    @property
    def database_columns(self) -> str:
        return columns_of(JSON_COLUMNS, 'pg_column_size({})')
