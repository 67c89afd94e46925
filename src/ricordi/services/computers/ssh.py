"""The command line of the OpenSSH client by which a computer is reached, from the parameters that AiiDA stores."""

from __future__ import annotations

import shlex

from ricordi.errors import UnreachableComputer
from ricordi.remedies import Remedy
from ricordi.services.computers.access import Access

_STRICTNESS = {'RejectPolicy': 'yes', 'WarningPolicy': 'accept-new', 'AutoAddPolicy': 'accept-new'}
"""OpenSSH never takes a key that has changed, under any of these; neither does paramiko."""

_GSS = {
    'gss_auth': 'GSSAPIAuthentication',
    'gss_deleg_creds': 'GSSAPIDelegateCredentials',
    'gss_kex': 'GSSAPIKeyExchange',
}


_LONGEST_HOST = 1024
_OF_SHELLS = frozenset('\'"`$\\;&|<>(){} \t')


def ssh_host(access: Access, files: bool = False) -> str:
    """The host, as `ssh` is told it.

    :param files: the one that files go through, where that is another one.
    """
    if access.transport != 'core.ssh_async':
        return access.hostname
    login = access.parameters.get('host') or access.hostname
    data = access.parameters.get('data_node_host')
    return str(data) if files and data not in (None, '', 'None') else str(login)


def named_commands(access: Access) -> list[str]:
    """The commands that stored settings have run on this machine, each with the setting that names it.

    They come with an archive that was imported, or from whoever else may write to the storage.
    """
    name = {'core.ssh': 'proxy_command', 'core.ssh_async': 'authentication_script'}.get(access.transport, '')
    value = access.parameters.get(name)
    if value in (None, '', 'None') or (name == 'proxy_command' and _jumps(access)):  # which are taken in its place
        return []
    return [f'{name} of {access.label}: {value}']


def checked_host(host: str) -> str:
    """A name of a host that `ssh` may have: its own configuration may hand it to a shell.

    :raises ricordi.errors.UnreachableComputer: it has signs that a shell would obey, or that no host has.
    """
    if (
        not host
        or host.startswith('-')
        or len(host) > _LONGEST_HOST
        or not host.isprintable()
        or set(host) & _OF_SHELLS
    ):
        raise UnreachableComputer(f'{host!r} is no name of a host', remedy=Remedy('show computer'))
    return host


def ssh_options(access: Access, batch: bool = False) -> list[str]:
    """Options for `ssh`. With `core.ssh_async` all else is in the person's OpenSSH configuration.

    :param batch: never ask for anything.
    """
    words = ['-o', 'BatchMode=yes'] if batch else []
    if access.transport != 'core.ssh':
        return words
    known = access.parameters
    if jumps := _jumps(access):
        words += ['-o', f'ProxyCommand={_through(access, jumps, batch)}']
    elif known.get('proxy_command'):
        words += ['-o', f'ProxyCommand={known["proxy_command"]}']
    return words + _login(access, known.get('username'), known.get('port'))


def _jumps(access: Access) -> list[str]:
    """The hosts that are gone through, one after the other."""
    return [host.strip() for host in str(access.parameters.get('proxy_jump') or '').split(',') if host.strip()]


def _login(access: Access, username: str | None, port: int | str | None) -> list[str]:
    words = []
    for option, value in (('-l', username), ('-p', port), ('-i', access.parameters.get('key_filename'))):
        if value:
            words += [option, str(value)]
    for setting, text in _settings(access):
        words += ['-o', f'{setting}={text}']
    return words


def _through(access: Access, jumps: list[str], batch: bool) -> str:
    """The proxy command that goes through some hosts, one after the other.

    Not `ProxyJump`, which takes neither the key nor `BatchMode` along; in AiiDA all parameters hold for the hosts on
    the way, but for user and port where they are named.
    """
    *before, last = jumps
    user, _, place = last.rpartition('@')
    host, _, port = place.rpartition(':') if place.rpartition(':')[2].isdecimal() else (place, '', '')
    words = ['ssh', '-o', 'BatchMode=yes'] if batch else ['ssh']
    if before:
        words += ['-o', f'ProxyCommand={_through(access, before, batch)}']
    known = access.parameters
    words += _login(access, user or known.get('username'), port or known.get('port'))
    # The outer ssh fills in the tokens of its own, and leaves those of the next one for it.
    escaped = shlex.join(words).replace('%', '%%')
    return f"{escaped} -W '[%h]:%p' -- {shlex.quote(host.strip('[]')).replace('%', '%%')}"


def _settings(access: Access) -> list[tuple[str, str]]:
    known = access.parameters
    found = []
    if known.get('timeout'):
        found.append(('ConnectTimeout', str(known['timeout'])))
    if known.get('look_for_keys') is False:
        found.append(('IdentitiesOnly', 'yes'))
        if not known.get('key_filename'):
            found.append(('IdentityFile', 'none'))
    if known.get('allow_agent') is False:
        found.append(('IdentityAgent', 'none'))
    if 'compress' in known:
        found.append(('Compression', 'yes' if known['compress'] else 'no'))
    if any(known.get(name) for name in (*_GSS, 'gss_host')):
        # Debian's ssh knows all of them, the original not.
        found.append(('IgnoreUnknown', 'GSSAPIKeyExchange,GSSAPIServerIdentity'))
    found += [(setting, 'yes') for name, setting in _GSS.items() if known.get(name)]
    if known.get('gss_host') and known['gss_host'] != access.hostname:
        found.append(('GSSAPIServerIdentity', str(known['gss_host'])))
    if known.get('load_system_host_keys') is False:
        found += [('UserKnownHostsFile', '/dev/null'), ('GlobalKnownHostsFile', '/dev/null')]
    found.append(('StrictHostKeyChecking', _STRICTNESS.get(known.get('key_policy', ''), 'yes')))
    return found


def bash_words(access: Access, command: str, login_shell: bool | None = None) -> list[str]:
    """The words that run a command in bash.

    :param login_shell: None: as configured.
    """
    if login_shell is None:
        login_shell = bool(access.parameters.get('use_login_shell', True))
    return ['bash', *(['-l'] if login_shell else []), '-c', command]


def goto_words(access: Access) -> list[str]:
    """The words that open a shell in the work directory of a computer, at a terminal."""
    shell = 'bash -l' if access.parameters.get('use_login_shell', True) else 'bash'
    command = (
        f'd={shell_path(access.work_dir)}; if [ -d "$d" ]; then cd "$d"; '
        f'else echo "ricordi: the work directory $d is not there" >&2; fi; exec {shell}'
    )
    if access.transport == 'core.local':
        return ['bash', '-c', command]
    return [
        'ssh',
        '-t',
        *ssh_options(access),
        '--',
        checked_host(ssh_host(access)),
        shlex.join(['bash', '-c', command]),
    ]


def shell_path(path: str) -> str:
    """A path as a word of bash; `{username}` becomes the user name there."""
    before, *rest = path.split('{username}')
    return '"$(id -un)"'.join(shlex.quote(part) if part else '' for part in (before, *rest)) or "''"
