"""By which parameters a computer is reached, per transport: names, kinds and defaults as in aiida-core 2.9."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ricordi.errors import NotExistent, ValidationError
from ricordi.services.computers.ssh_config import read_ssh_config

Kind = Literal['text', 'int', 'float', 'switch', 'bool', 'choice', 'path', 'script']
KEY_POLICIES = ('RejectPolicy', 'WarningPolicy', 'AutoAddPolicy')


@dataclass(frozen=True, slots=True)
class Account:
    """The person at this machine, from whom defaults are taken.

    :param username: login name here.
    :param ssh_config: the OpenSSH client's configuration file of the person.
    """

    username: str
    ssh_config: Path


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a transport.

    :param kind: `switch` is an option with its `--no-` form, `bool` one with true or false as value.
    :param default: the value that is taken where nothing is said.
    :param ssh_name: the setting of the OpenSSH configuration that goes before the default.
    :param choices: the values of a `choice`.
    """

    name: str
    kind: Kind
    text: str
    default: Any
    ssh_name: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The option that sets it."""
        return '--' + self.name.replace('_', '-')


def _common(safe_interval: float) -> tuple[Parameter, ...]:
    return (
        Parameter('use_login_shell', 'switch', 'Use a login shell to run commands', True),
        Parameter('safe_interval', 'float', 'Seconds between two connections, at least', safe_interval),
    )


PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    'core.local': _common(0.0),
    'core.ssh': (
        Parameter('username', 'text', 'User name on the computer', None, 'user'),
        Parameter('port', 'int', 'Port of its SSH server', 22, 'port'),
        Parameter('look_for_keys', 'switch', 'Look for private keys in ~/.ssh', True, 'look_for_keys'),
        Parameter('key_filename', 'path', 'Absolute path of the private key', '', 'identityfile'),
        Parameter('timeout', 'int', 'Seconds to wait for a connection', 60, 'connecttimeout'),
        Parameter('allow_agent', 'switch', 'Use the SSH agent', True, 'allow_agent'),
        Parameter('proxy_jump', 'text', 'Hosts to jump through, [user@]host[:port], separated by commas', ''),
        Parameter('proxy_command', 'text', 'Command that connects through a proxy', '', 'proxycommand'),
        Parameter('compress', 'switch', 'Compress what is transferred', True),
        Parameter('gss_auth', 'bool', 'Use a Kerberos token (GSSAPI)', False, 'gssapiauthentication'),
        Parameter('gss_kex', 'bool', 'Use GSSAPI for the key exchange', False, 'gssapikeyexchange'),
        Parameter('gss_deleg_creds', 'bool', 'Delegate GSSAPI credentials', False, 'gssapidelegatecredentials'),
        Parameter('gss_host', 'text', 'Host name for GSSAPI', None, 'gssapihostname'),
        Parameter('load_system_host_keys', 'switch', 'Know the hosts of ~/.ssh/known_hosts', True),
        Parameter('key_policy', 'choice', 'What to do if a host is not known', 'RejectPolicy', None, KEY_POLICIES),
        *_common(15.0),
    ),
    'core.ssh_async': (
        Parameter('host', 'text', 'The host, as in `ssh HOST`', None),
        Parameter('data_node_host', 'text', 'The host that files go through, as in `ssh HOST`, or None', 'None'),
        Parameter('max_io_allowed', 'int', 'Transfers at the same time, at most', 8),
        Parameter('authentication_script', 'script', 'Script to run here before connecting, or None', 'None'),
        Parameter(
            'backend', 'choice', 'How AiiDA speaks SSH: asyncssh or openssh', 'asyncssh', None, ('asyncssh', 'openssh')
        ),
        Parameter('use_sftp', 'switch', 'The server knows SFTP (for the backend openssh)', True),
        *_common(15.0),
    ),
}


def parameters_of(transport: str) -> tuple[Parameter, ...]:
    """The parameters of a transport.

    :raises ricordi.errors.NotExistent: it is one that only AiiDA's plug-ins know.
    """
    if transport not in PARAMETERS:
        raise NotExistent(
            f'the transport {transport!r} comes from a plug-in, and is none of {", ".join(PARAMETERS)}: use '
            f'`verdi computer configure {transport}`'
        )
    return PARAMETERS[transport]


def default_parameters(transport: str, hostname: str, account: Account) -> dict[str, Any]:
    """What each parameter is where nothing is said; for `core.ssh` the person's OpenSSH configuration is heard."""
    known = parameters_of(transport)
    configured: Mapping[str, str] = read_ssh_config(account.ssh_config, hostname) if transport == 'core.ssh' else {}
    people = {'username': account.username, 'gss_host': hostname, 'host': hostname}
    found = {}
    for parameter in known:
        default = people.get(parameter.name, parameter.default)
        written = configured.get(parameter.ssh_name) if parameter.ssh_name else None
        found[parameter.name] = default if written is None else _from_ssh_config(parameter, written, default)
    return found


def _from_ssh_config(parameter: Parameter, written: str, default: Any) -> Any:
    if parameter.name == 'key_filename':
        return str(Path(written).expanduser())
    if parameter.name == 'proxy_command':
        # Without redirections of its stderr, which belong to a shell.
        words = written.split()
        cut = next((place for place, word in enumerate(words) if '>' in word), len(words))
        return ' '.join(words[:cut])
    try:
        return convert(parameter, written)
    except ValidationError:
        return default  # `connecttimeout none` and the like


# values ----------------------------------------------------------------------------------------------------


def convert(parameter: Parameter, value: Any) -> Any:
    """A value as it is stored: text from a command line, a file or a person in the type of the parameter.

    :raises ricordi.errors.ValidationError: it cannot be meant.
    """
    try:
        return _CONVERT[parameter.kind](parameter, value)
    except (TypeError, ValueError) as error:
        if isinstance(error, ValidationError):
            raise
        raise ValidationError(f'{value!r} is no {"whole " * (parameter.kind == "int")}number') from None


def _number(parameter: Parameter, value: Any) -> int:
    if isinstance(value, bool):
        raise ValidationError(f'{value!r} is no number')
    number = int(value)
    if isinstance(value, float) and value != number:
        raise ValidationError(f'{value!r} is no whole number')
    if number < 0 or (number == 0 and parameter.name != 'timeout') or (parameter.name == 'port' and number > 65535):
        raise ValidationError(f'{value!r} is out of range')
    return number


def _seconds(parameter: Parameter, value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 <= number < float('inf'):
        raise ValidationError(f'seconds are meant, not {value!r}')
    return number


def _yes_or_no(parameter: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ('true', 't', 'yes', 'y', 'on', '1'):
        return True
    if word in ('false', 'f', 'no', 'n', 'off', '0'):
        return False
    raise ValidationError(f'true or false is meant, not {value!r}')


def _choice(parameter: Parameter, value: Any) -> str:
    if value not in parameter.choices:
        raise ValidationError(f'{value!r} is none of {", ".join(parameter.choices)}')
    return str(value)


def _file(parameter: Parameter, value: Any) -> str:
    """The path of a file that must be there, or nothing."""
    path = str(value)
    if path and not os.path.isabs(path):  # noqa: PTH117 - the text stays as it was given
        raise ValidationError(f'{path} is not an absolute path')
    if path and not Path(path).is_file():
        raise ValidationError(f'there is no file {path}')
    return path


def _script(parameter: Parameter, value: Any) -> str:
    """The path of a script that must be there, or `None`, as AiiDA writes it."""
    if value is None or str(value) in ('', 'None'):
        return 'None'
    path = _file(parameter, value)
    if not os.access(path, os.X_OK):
        raise ValidationError(f'{path} is not executable')
    return path


_CONVERT: dict[Kind, Callable[[Parameter, Any], Any]] = {
    'text': lambda parameter, value: str(value),
    'int': _number,
    'float': _seconds,
    'switch': _yes_or_no,
    'bool': _yes_or_no,
    'choice': _choice,
    'path': _file,
    'script': _script,
}
