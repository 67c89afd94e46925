"""The configuration options that AiiDA knows: name, default, type; parsing of values given as text."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ricordi.errors import ConfigurationError, WrongOptionValue
from ricordi.remedies import Remedy

Kind = Literal['int', 'bool', 'str', 'list', 'level', 'level or INHERIT']

LEVELS = ('NOTSET', 'DEBUG', 'INFO', 'REPORT', 'WARNING', 'ERROR', 'CRITICAL')
INHERIT = 'INHERIT'
_TRUE = frozenset({'true', '1', 'yes', 'on', 't', 'y'})
_FALSE = frozenset({'false', '0', 'no', 'off', 'f', 'n'})


_OF_DAEMON = ('broker.', 'caching.', 'daemon.', 'logging.', 'runner.', 'transport.')
_NOT_OF_DAEMON = ('daemon.timeout', 'logging.terminal_handler')


class Option(NamedTuple):
    """A known option.

    :param former_name: how it is called in files of version 9; None where the name has not changed.
    :param global_only: it has no meaning for a single profile.
    :param advanced: few need it: lists leave it out unless asked for all.
    """

    name: str
    kind: Kind
    default: Any
    description: str
    former_name: str | None = None
    global_only: bool = False
    advanced: bool = False

    @property
    def needs_restart(self) -> bool:
        """Whether the daemon of AiiDA reads it when it is started, and not again."""
        return self.name.startswith(_OF_DAEMON) and self.name not in _NOT_OF_DAEMON

    def parse(self, value: Any) -> Any:
        """The value in the type of this option; text is read as a person would write it.

        :raises ricordi.errors.WrongOptionValue: it cannot be meant.
        """
        if value is None and self.default is None:
            return None
        parsed = _PARSERS[self.kind](value)
        if parsed is None:
            raise WrongOptionValue(f'{value!r} is no value for the option {self.name}: {_EXPECTED[self.kind]}')
        return parsed


def _parse_int(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _parse_bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None


def _parse_str(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _parse_list(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return value.replace(',', ' ').split()
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    return None


def _parse_level(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and value.upper() in LEVELS else None


def _parse_level_or_inherit(value: Any) -> str | None:
    return INHERIT if isinstance(value, str) and value.upper() == INHERIT else _parse_level(value)


_PARSERS = {
    'int': _parse_int,
    'bool': _parse_bool,
    'str': _parse_str,
    'list': _parse_list,
    'level': _parse_level,
    'level or INHERIT': _parse_level_or_inherit,
}
_EXPECTED = {
    'int': 'give a whole number',
    'bool': 'give true or false',
    'str': 'give a text',
    'list': 'give a list of texts, or one text with blanks between them',
    'level': f'give one of {", ".join(LEVELS)}',
    'level or INHERIT': f'give one of {", ".join(LEVELS)}, {INHERIT}',
}


def _logger(name: str, default: str) -> Option:
    option = f'logging.{name}_loglevel'
    text = f'Lowest level at which the logger of {name} reports.'
    return Option(option, 'level or INHERIT', default, text, advanced=True)


_TABLE = (
    Option('runner.poll.interval', 'int', 60, 'Seconds between two looks of a runner at its processes.'),
    Option('daemon.default_workers', 'int', 1, 'Workers that `verdi daemon start` starts.'),
    Option('daemon.timeout', 'int', 2, 'Seconds that calls to the daemon may take.'),
    Option('daemon.worker_process_slots', 'int', 200, 'Processes that one daemon worker runs at a time.'),
    Option('daemon.recursion_limit', 'int', 3000, 'Recursion limit of the interpreter in daemon workers.'),
    Option('db.batch_size', 'int', 100000, 'Rows written to the database in one go.'),
    Option('verdi.shell.auto_import', 'str', ':', 'What `verdi shell` imports besides, with colons between.'),
    Option('logging.terminal_handler', 'level', 'REPORT', 'Lowest level shown on the terminal.'),
    Option('logging.aiida_loglevel', 'level', 'REPORT', 'Lowest level at which AiiDA reports.'),
    _logger('aiida_core', INHERIT),
    _logger('verdi', INHERIT),
    _logger('disk_objectstore', INHERIT),
    Option(
        'logging.database_handler',
        'level',
        'REPORT',
        'Lowest level stored in the database with the node it is about.',
        former_name='logging.db_loglevel',
    ),
    _logger('plumpy', INHERIT),
    _logger('kiwipy', INHERIT),
    _logger('paramiko', 'WARNING'),
    _logger('alembic', 'WARNING'),
    _logger('sqlalchemy', 'WARNING'),
    _logger('circus', 'INFO'),
    _logger('aiopika', 'WARNING'),
    Option('warnings.showdeprecations', 'bool', True, 'Whether AiiDA warns of what is deprecated.'),
    Option('warnings.rabbitmq_version', 'bool', True, 'Whether AiiDA warns of a RabbitMQ it does not fit.'),
    Option(
        'transport.task_retry_initial_interval', 'int', 20, 'Seconds before a failed transport task is tried again.'
    ),
    Option('transport.task_maximum_attempts', 'int', 5, 'Tries of a transport task before its process is paused.'),
    Option(
        'broker.task_timeout',
        'int',
        10,
        'Seconds that messages to the broker may take.',
        former_name='rmq.task_timeout',
    ),
    Option('storage.sandbox', 'str', None, 'Folder for the files of nodes that are not stored yet.'),
    Option('caching.default_enabled', 'bool', False, 'Whether calculations are cached unless said otherwise.'),
    Option('caching.enabled_for', 'list', [], 'Process types that are cached.'),
    Option('caching.disabled_for', 'list', [], 'Process types that are not cached.'),
    Option('autofill.user.email', 'str', None, 'Email of the user of new profiles.', global_only=True),
    Option('autofill.user.first_name', 'str', None, 'First name of the user of new profiles.', global_only=True),
    Option('autofill.user.last_name', 'str', None, 'Last name of the user of new profiles.', global_only=True),
    Option('autofill.user.institution', 'str', None, 'Institution of the user of new profiles.', global_only=True),
    Option('rest_api.profile_switching', 'bool', False, 'Whether REST requests may name a profile.', global_only=True),
    Option('warnings.development_version', 'bool', True, 'Whether a development version says so.', global_only=True),
)

_BY_NAME = {option.name: option for option in _TABLE}
_BY_FORMER_NAME = {option.former_name: option for option in _TABLE if option.former_name is not None}


def get_option_names() -> list[str]:
    """The names of all known options, in the order they are documented."""
    return list(_BY_NAME)


def get_option(name: str) -> Option:
    """A known option by its name or by the name it had before version 10.

    :raises ricordi.errors.ConfigurationError: there is no such option.
    """
    option = _BY_NAME.get(name) or _BY_FORMER_NAME.get(name)
    if option is None:
        raise ConfigurationError(f'there is no option {name!r}', remedy=Remedy('list options'))
    return option


def read_option(option: Option, values: dict[str, Any], default: Any = None) -> Any:
    """The value of an option among stored `values`, under its name or its former one; `default` if it is not set."""
    if option.name in values:
        return values[option.name]
    if option.former_name is not None and option.former_name in values:
        return values[option.former_name]
    return default


def is_set(option: Option, values: dict[str, Any]) -> bool:
    """Whether an option is among stored `values`, under its name or its former one."""
    return option.name in values or (option.former_name is not None and option.former_name in values)


def write_option(option: Option, values: dict[str, Any], value: Any, version: int) -> None:
    """Set an option among stored `values`, under the name that a file of this version has for it."""
    remove_option(option, values)
    values[option.former_name if option.former_name and version < 10 else option.name] = value


def remove_option(option: Option, values: dict[str, Any]) -> None:
    """Take an option out of stored `values`, under either name."""
    values.pop(option.name, None)
    if option.former_name is not None:
        values.pop(option.former_name, None)
