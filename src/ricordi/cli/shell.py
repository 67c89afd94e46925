"""`ricordi shell`: Python with the profile loaded and the names of `ricordi.orm` at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from ricordi.cli.identifiers import text_of_stdin
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import option, verb
from ricordi.errors import UsageError

Namespace = dict[str, Any]


@verb(
    'ricordi shell',
    'ricordi -p main shell --plain',
    'echo "print(QueryBuilder().append(Dict).count())" | ricordi shell',
)
@option('--plain', is_flag=True, help='Plain Python, even if IPython is there.')
@option('--no-startup', is_flag=True, help='Plain Python without $PYTHONSTARTUP and ~/.pythonrc.py.')
@option('--interface', '-i', type=click.Choice(['ipython', 'bpython']), help='With which of these. [default: IPython]')
def shell(session: CommandSession, plain: bool, no_startup: bool, interface: str | None) -> int:
    """Start Python with the profile loaded.

    At hand are orm, QueryBuilder, load_node and the other names of AiiDA's shell, and storage. Without a terminal what
    comes on standard input is run as a program.
    """
    from ricordi.manager import load_profile, unload_profile
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.shell import shell_names

    if plain and interface:
        raise UsageError('--plain and --interface contradict each other')
    if sys.stdin is None:
        raise UsageError('standard input is closed: there is nothing to run, and nobody to talk to')
    profile = find_profile(session.profile_name)
    load_profile(profile)
    try:
        names = shell_names()
        if not sys.stdin.isatty():
            return _run(text_of_stdin(), names)
        start = None if plain else _find_shell(interface)
        if start is not None:
            start(names)
        else:
            _start_plain(names, not no_startup, f'Profile {profile.name!r} is loaded; Ctrl-D ends.')
    finally:
        unload_profile()
    return 0


def _run(program: str, names: Namespace) -> int:
    """Run a program; where it fails, its own lines are told, as Python does."""
    try:
        exec(compile(program, '<stdin>', 'exec'), names)
    except Exception as error:
        import traceback

        sys.stdout.flush()
        own = error.__traceback__.tb_next if error.__traceback__ else None  # without this module's line
        traceback.print_exception(type(error), error, own)
        return 1
    return 0


def _find_shell(interface: str | None) -> Callable[[Namespace], None] | None:
    """The shell that was asked for, or IPython if it is there; None for plain Python.

    :raises ricordi.errors.UsageError: the one that was asked for is not installed.
    """
    from importlib.util import find_spec

    name = {'ipython': 'IPython', 'bpython': 'bpython'}.get(interface or 'ipython', '')
    if find_spec(name) is not None:
        return _start_ipython if name == 'IPython' else _start_bpython
    if interface is not None:
        raise UsageError(f'{name} is not installed in the environment of this program: {sys.prefix}')
    return None


def _start_ipython(names: Namespace) -> None:
    from importlib import import_module

    import_module('IPython').start_ipython(argv=[], user_ns=names)


def _start_bpython(names: Namespace) -> None:
    from importlib import import_module

    import_module('bpython').embed(names)


def _start_plain(names: Namespace, with_startup: bool, banner: str) -> None:
    import code

    try:
        import readline
        import rlcompleter
    except ImportError:  # a Python that was built without
        pass
    else:
        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind('tab: complete')
    if with_startup:
        from ricordi.config.folder import startup_files

        for path in startup_files():
            exec(compile(path.read_text(encoding='utf-8'), str(path), 'exec'), names)
    code.interact(banner, local=names, exitmsg='')
