"""The settings that every code has."""

from __future__ import annotations

from typing import Any

from ricordi.errors import ValidationError, WrongType
from ricordi.model.labels import check_code_label
from ricordi.orm.data.data import Data


class CodeSettings(Data):
    """Label and settings of a code, kept as attributes under AiiDA's names."""

    def __init__(
        self,
        default_calc_job_plugin: str | None = None,
        append_text: str = '',
        prepend_text: str = '',
        use_double_quotes: bool = False,
        with_mpi: bool | None = None,
        is_hidden: bool = False,
        wrap_cmdline_params: bool = False,
        **kwargs: Any,
    ) -> None:
        """
        :param default_calc_job_plugin: entry point of the plug-in that runs this code.
        :param append_text: lines of the job script after the run.
        :param prepend_text: lines of the job script before the run.
        :param use_double_quotes: quote the command line with double quotes.
        :param with_mpi: run as an MPI program; None: the calculation decides.
        :param is_hidden: do not show in lists.
        :param wrap_cmdline_params: join all arguments into one, as containers need it.
        """
        plugin = kwargs.pop('input_plugin', None)
        if plugin is not None and default_calc_job_plugin is not None:
            raise ValidationError('input_plugin is the old name of default_calc_job_plugin: give only one')
        super().__init__(**kwargs)
        self.default_calc_job_plugin = default_calc_job_plugin or plugin
        self.append_text = append_text
        self.prepend_text = prepend_text
        self.use_double_quotes = use_double_quotes
        self.with_mpi = with_mpi
        self.wrap_cmdline_params = wrap_cmdline_params
        self.is_hidden = is_hidden

    def _change(self, **values: Any) -> None:
        check_code_label(str(values.get('label', '')))
        super()._change(**values)

    def _set(self, key: str, value: Any, *types: type) -> None:
        if not isinstance(value, types):
            names = ' or '.join(one.__name__ for one in types)
            raise WrongType(f'{key} of a code is of type {names}, got {value!r}')
        self.base.attributes.set(key, value)

    @property
    def default_calc_job_plugin(self) -> str | None:
        """Entry point of the plug-in that runs this code."""
        value: str | None = self.base.attributes.get('input_plugin', None)
        return value

    @default_calc_job_plugin.setter
    def default_calc_job_plugin(self, value: str | None) -> None:
        self._set('input_plugin', value, str, type(None))

    @property
    def append_text(self) -> str:
        """Lines of the job script after the run."""
        return str(self.base.attributes.get('append_text', ''))

    @append_text.setter
    def append_text(self, value: str) -> None:
        self._set('append_text', value, str)

    @property
    def prepend_text(self) -> str:
        """Lines of the job script before the run."""
        return str(self.base.attributes.get('prepend_text', ''))

    @prepend_text.setter
    def prepend_text(self, value: str) -> None:
        self._set('prepend_text', value, str)

    @property
    def use_double_quotes(self) -> bool:
        """Whether the command line is quoted with double quotes."""
        return bool(self.base.attributes.get('use_double_quotes', False))

    @use_double_quotes.setter
    def use_double_quotes(self, value: bool) -> None:
        self._set('use_double_quotes', value, bool)

    @property
    def with_mpi(self) -> bool | None:
        """Whether this runs as an MPI program; None: the calculation decides."""
        value: bool | None = self.base.attributes.get('with_mpi', None)
        return value

    @with_mpi.setter
    def with_mpi(self, value: bool | None) -> None:
        self._set('with_mpi', value, bool, type(None))

    @property
    def wrap_cmdline_params(self) -> bool:
        """Whether all arguments are joined into one."""
        return bool(self.base.attributes.get('wrap_cmdline_params', False))

    @wrap_cmdline_params.setter
    def wrap_cmdline_params(self, value: bool) -> None:
        self._set('wrap_cmdline_params', value, bool)

    @property
    def is_hidden(self) -> bool:
        """Whether this is left out of lists; an extra, so it can be changed at any time."""
        return bool(self.base.extras.get('hidden', False))

    @is_hidden.setter
    def is_hidden(self, value: bool) -> None:
        self.base.extras.set('hidden', bool(value))
