"""The source of the function that a process node is a record of."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ricordi.orm.processes.process import ProcessNode


class FunctionSource(ProcessNode):
    """A process node of a function: name and place in attributes, the source file in the repository."""

    FUNCTION_NAME_KEY = 'function_name'
    FUNCTION_NAMESPACE_KEY = 'function_namespace'
    FUNCTION_STARTING_LINE_KEY = 'function_starting_line_number'
    FUNCTION_NUMBER_OF_LINES_KEY = 'function_number_of_lines'
    FUNCTION_SOURCE_FILE_PATH = 'source_file'

    def store_source_info(self, func: Callable[..., Any]) -> None:
        """Keep name, place and source file of a function, as far as they are known; before the node is stored."""
        self._set(self.FUNCTION_NAME_KEY, func.__name__)
        self._set(self.FUNCTION_NAMESPACE_KEY, func.__module__)
        with suppress(OSError, TypeError):
            lines, start = inspect.getsourcelines(func)
            self._set(self.FUNCTION_STARTING_LINE_KEY, start)
            self._set(self.FUNCTION_NUMBER_OF_LINES_KEY, len(lines))
        with suppress(OSError, TypeError):
            source = inspect.getsourcefile(func)
            if source:
                self.base.repository.put_object_from_file(Path(source), self.FUNCTION_SOURCE_FILE_PATH)

    @property
    def function_name(self) -> str | None:
        """The name of the function."""
        return self._get(self.FUNCTION_NAME_KEY)  # type: ignore[no-any-return]

    @property
    def function_namespace(self) -> str | None:
        """The module of the function."""
        return self._get(self.FUNCTION_NAMESPACE_KEY)  # type: ignore[no-any-return]

    @property
    def function_starting_line_number(self) -> int | None:
        """The line of the source file in which the function begins, counted from 1."""
        return self._get(self.FUNCTION_STARTING_LINE_KEY)  # type: ignore[no-any-return]

    @property
    def function_number_of_lines(self) -> int | None:
        """How many lines the function has."""
        return self._get(self.FUNCTION_NUMBER_OF_LINES_KEY)  # type: ignore[no-any-return]

    def get_source_code_file(self) -> str | None:
        """The source file; None if it was not kept."""
        if not self.base.repository.has_object(self.FUNCTION_SOURCE_FILE_PATH):
            return None
        return self.base.repository.get_object_content(self.FUNCTION_SOURCE_FILE_PATH)

    def get_function_source_code(self) -> str | None:
        """Old name of `get_source_code_file`."""
        return self.get_source_code_file()

    def get_source_code_function(self) -> str | None:
        """The lines of the function, with its decorators; None if they are not known."""
        source, start, count = (
            self.get_source_code_file(),
            self.function_starting_line_number,
            self.function_number_of_lines,
        )
        if source is None or start is None or count is None:
            return None
        return '\n'.join(source.splitlines()[start - 1 : start - 1 + count])
