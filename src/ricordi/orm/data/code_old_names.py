"""The API of codes before AiiDA 2.1, which AiiDA still has: every name works, and warns of what to use now."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ricordi.backend.rows import EntityKind
from ricordi.errors import ValidationError, WrongType, WrongValue
from ricordi.orm.arguments import stored_pk
from ricordi.orm.data.code_settings import CodeSettings

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.computers import Computer


def warn_old(old: str, now: str) -> None:
    """Warn that a name is old.

    :param now: what to use now.
    """
    warnings.warn(f'`{old}` is old: use {now}', DeprecationWarning, stacklevel=3)


class OldCodeNames(CodeSettings):
    """Getters and setters that became properties, and ways to find a code that `load_code` has replaced."""

    # -- settings -------------------------------------------------------------------------------------------

    def get_input_plugin_name(self) -> str | None:
        """The entry point of the plug-in that runs this code."""
        warn_old('get_input_plugin_name', '`default_calc_job_plugin`')
        return self.default_calc_job_plugin

    def set_input_plugin_name(self, input_plugin: str | None) -> None:
        """Set the entry point of the plug-in that runs this code."""
        warn_old('set_input_plugin_name', '`default_calc_job_plugin`')
        self.default_calc_job_plugin = input_plugin

    def get_prepend_text(self) -> str:
        """Lines of the job script before the run."""
        warn_old('get_prepend_text', '`prepend_text`')
        return self.prepend_text

    def set_prepend_text(self, code: str) -> None:
        """Set the lines of the job script before the run."""
        warn_old('set_prepend_text', '`prepend_text`')
        self.prepend_text = code

    def get_append_text(self) -> str:
        """Lines of the job script after the run."""
        warn_old('get_append_text', '`append_text`')
        return self.append_text

    def set_append_text(self, code: str) -> None:
        """Set the lines of the job script after the run."""
        warn_old('set_append_text', '`append_text`')
        self.append_text = code

    def get_use_double_quotes(self) -> bool:
        """Whether the command line is quoted with double quotes."""
        warn_old('get_use_double_quotes', '`use_double_quotes`')
        return self.use_double_quotes

    def set_use_double_quotes(self, use_double_quotes: bool) -> None:
        """Set whether the command line is quoted with double quotes."""
        warn_old('set_use_double_quotes', '`use_double_quotes`')
        self.use_double_quotes = use_double_quotes

    # -- label and lists ------------------------------------------------------------------------------------

    @property
    def hidden(self) -> bool:
        """Whether this is left out of lists."""
        warn_old('hidden', '`is_hidden`')
        return self.is_hidden

    def hide(self) -> None:
        """Leave this out of lists."""
        warn_old('hide', '`is_hidden`')
        self.is_hidden = True

    def reveal(self) -> None:
        """Show this in lists."""
        warn_old('reveal', '`is_hidden`')
        self.is_hidden = False

    def relabel(self, new_label: str) -> None:
        """Set the label; `@` and the computer's label may follow it."""
        warn_old('relabel', '`label`')
        computer = self.computer
        self.label = new_label.removesuffix(f'@{computer.label}') if computer else new_label

    def get_computer_label(self) -> str:
        """The label of the computer; `repository` if there is none."""
        warn_old('get_computer_label', '`computer.label`')
        computer = self.computer
        return computer.label if computer else 'repository'

    # -- find -----------------------------------------------------------------------------------------------

    @classmethod
    def get(
        cls, pk: int | None = None, label: str | None = None, machinename: str | None = None, **filters: Any
    ) -> Self:
        """The code of this pk, or of this label and computer.

        :raises ricordi.errors.NotExistent: there is none.
        :raises ricordi.errors.MultipleObjectsError: there are several.
        """
        if filters or (pk is None and label is None):
            return super().get(
                **{name: value for name, value in {'pk': pk, 'label': label}.items() if value}, **filters
            )
        warn_old('Code.get', '`load_code`')
        from ricordi.orm.loaders import load_code

        found: Any
        if pk is not None:
            found = load_code(pk=pk)
        else:
            found = load_code(label=f'{label}@{machinename}' if machinename else label)
        return found  # type: ignore[no-any-return]

    @classmethod
    def get_from_string(cls, code_string: str) -> Self:
        """The code of a label, or of `label@computer`.

        :raises ricordi.errors.NotExistent: there is none.
        """
        warn_old('Code.get_from_string', '`load_code`')
        return cls._labelled(code_string, None)

    @classmethod
    def get_code_helper(cls, label: str, machinename: str | None = None, backend: StorageBackend | None = None) -> Self:
        """The code of a label, on a computer if one is named.

        :raises ricordi.errors.NotExistent: there is none.
        """
        warn_old('Code.get_code_helper', '`load_code`')
        return cls._labelled(f'{label}@{machinename}' if machinename else label, backend)

    @classmethod
    def _labelled(cls, label: str, backend: StorageBackend | None) -> Self:
        from ricordi.orm.loaders import load_code

        if not isinstance(label, str):
            raise WrongType(f'the label of a code is a string, got {label!r}')
        found: Any = load_code(label=label, backend=backend)
        return found  # type: ignore[no-any-return]

    @classmethod
    def list_for_plugin(cls, plugin: str, labels: bool = True, backend: StorageBackend | None = None) -> list[Any]:
        """The labels, or the pks, of all codes that a plug-in runs."""
        warn_old('Code.list_for_plugin', 'a `QueryBuilder`')
        from ricordi.orm.querybuilder.builder import QueryBuilder

        query = QueryBuilder(backend=backend)
        query.append(cls, filters={'attributes.input_plugin': plugin}, project='label' if labels else 'id')
        return query.all(flat=True)

    # -- where the executable is ----------------------------------------------------------------------------

    def is_local(self) -> bool:
        """Whether the files of the code are in the node."""
        warn_old('is_local', '`isinstance(code, PortableCode)`')
        return self._is_local()

    def _is_local(self) -> bool:
        return bool(self.base.attributes.get('is_local', self.row.node_type.startswith('data.core.code.portable.')))

    def get_execname(self) -> str:
        """The executable, as a job script calls it."""
        warn_old('get_execname', '`get_executable`')
        return str(self.get_executable())

    def get_executable(self) -> Any:
        """The path of the executable, as a job script calls it."""
        raise NotImplementedError

    def get_local_executable(self) -> str:
        """Name of the executable among the files of the node."""
        warn_old('get_local_executable', '`filepath_executable`')
        return str(self.base.attributes.get('local_executable', ''))

    def set_local_executable(self, exec_name: str) -> None:
        """Set the name of the executable among the files of the node."""
        warn_old('set_local_executable', '`PortableCode`')
        self.base.attributes.set_many({'is_local': True, 'local_executable': exec_name})

    def set_files(self, files: str | Iterable[str]) -> None:
        """Put files from disk into the node, at the top."""
        warn_old('set_files', '`PortableCode`')
        for name in [files] if isinstance(files, str) else files:
            self.base.repository.put_object_from_file(name, Path(name).name)

    def get_remote_exec_path(self) -> str:
        """Path of the executable on its computer."""
        warn_old('get_remote_exec_path', '`filepath_executable`')
        if self._is_local():
            raise WrongValue('the code is local: it has no path on a computer')
        return str(self.base.attributes.get('remote_exec_path', ''))

    def get_remote_computer(self) -> Computer | None:
        """The computer on which the executable is."""
        warn_old('get_remote_computer', '`computer`')
        if self._is_local():
            raise WrongValue('the code is local: it is on no computer')
        return self.computer

    def set_remote_computer_exec(self, remote_computer_exec: tuple[Computer, str]) -> None:
        """Set the computer and the absolute path of the executable on it.

        :raises ValueError: no pair is given, or the path is not absolute.
        """
        warn_old('set_remote_computer_exec', '`InstalledCode`')
        if not isinstance(remote_computer_exec, list | tuple) or len(remote_computer_exec) != 2:
            raise WrongValue('remote_computer_exec is a pair: computer, absolute path of the executable')
        computer, path = remote_computer_exec
        if not Path(path).is_absolute():
            raise WrongValue(f'the path of the executable must be absolute, got {path!r}')
        stored_pk(computer, EntityKind.COMPUTER)
        self.computer = computer
        self.base.attributes.set_many({'is_local': False, 'remote_exec_path': path})

    def can_run_on(self, computer: Computer) -> bool:
        """Whether this can be run on a computer."""
        warn_old('can_run_on', '`can_run_on_computer`')
        stored_pk(computer, EntityKind.COMPUTER)
        return self._is_local() or self.row.computer_pk == computer.pk

    def _validate_old(self) -> None:
        """Check a code that was made the old way."""
        attributes, names = self.row.attributes, self.base.repository.list_object_names()
        if 'is_local' not in attributes:
            raise ValidationError(f'{self!r}: neither local_executable nor remote_computer_exec was given')
        if not attributes['is_local']:
            if names:
                raise ValidationError(f'{self!r} is on a computer, yet has files: {", ".join(names)}')
        elif attributes.get('local_executable') not in names:
            raise ValidationError(f'the executable {attributes.get("local_executable")!r} is not among the files')
