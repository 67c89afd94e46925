"""How a verb is declared: a click command with the options that all verbs have, grouped options and examples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import click

from ricordi.cli.parameters import PROFILE, PathName
from ricordi.cli.session import TOLD, CommandSession
from ricordi.cli.terminal.help_pages import WIDEST, HelpPage
from ricordi.cli.terminal.kept_answers import keep_words, note_answers
from ricordi.cli.terminal.screen import WHEN
from ricordi.cli.terminal.streams import as_unicode
from ricordi.errors import RicordiError, UsageError
from ricordi.services.nodes.log_levels import LEVELS

FORMATS = ('table', 'json', 'jsonl', 'csv', 'yaml')
COMMON = 'Common options'
HEEDED = ('debug', 'common_color', 'common_no_color', 'common_utc')
"""Options that `cli.main` looks for, which needs them also where the command line is wrong."""
QUIET = 'No reports, notices and progress; lists as bare names.'
Function = Callable[..., Any]


class GroupedOption(click.Option):
    """An option that knows under which heading of the help it stands."""

    takes_all_that_follows = False

    def __init__(self, *args: Any, group: str = 'Options', **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


class VerboseFlag(GroupedOption):
    """`-v`, which also understands what `verdi` wants after it: `-v INFO` means `--verbosity INFO`."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Have the parser take the name of a level that follows."""
        super().add_to_parser(parser, ctx)
        option = parser._long_opt['--verbose']
        take = option.process

        def process(value: Any, state: Any) -> None:
            if state.rargs and state.rargs[0].upper() in LEVELS:
                parser._long_opt['--verbosity'].process(state.rargs.pop(0), state)
            else:
                take(value, state)

        option.process = process


class Verb(click.Command):
    """A command whose help groups its options and ends with examples."""

    examples: tuple[str, ...] = ()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take arguments and options apart; say which option has taken an argument for a value of its own."""
        given = list(args)
        keep_words(ctx, given)
        try:
            rest = super().parse_args(ctx, args)
        except click.MissingParameter as error:
            takers = [one for one in self.params if getattr(one, 'takes_all_that_follows', False)]
            found = [name for one in takers for name in one.opts if name in given]
            if not found or not isinstance(error.param, click.Argument):
                raise
            raise _taken(error.param, found[0]) from None
        for argument in self.params:
            if getattr(argument, 'is_needed', False) and not ctx.params.get(str(argument.name)):
                self._refuse_if_taken(ctx, argument, given)
        return rest

    def _refuse_if_taken(self, ctx: click.Context, argument: click.Parameter, given: list[str]) -> None:
        """An argument that may be empty is: refuse that where an option with several values may have taken it."""
        for one in self.params:
            values = ctx.params.get(str(one.name)) or ()
            if getattr(one, 'takes_all_that_follows', False) and len(values) > 1:
                raise _taken(argument, next((name for name in one.opts if name in given), one.opts[0]))

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; where it fails after a person has answered questions, the error tells how to repeat that."""
        try:
            return super().invoke(ctx)
        except (RicordiError, OSError, KeyboardInterrupt, click.Abort) as error:
            note_answers(ctx, error)
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, a paragraph per group, the common ones last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            # Arguments stand in the line of usage.
            if record is not None and isinstance(parameter, click.Option):
                groups.setdefault(getattr(parameter, 'group', COMMON), []).append(record)
        for name in sorted(groups, key=lambda name: name == COMMON):
            with formatter.section(name):
                formatter.write_dl(groups[name])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        assert isinstance(formatter, HelpPage)
        with formatter.section('Examples' if len(self.examples) > 1 else 'Example'):
            for example in self.examples:
                formatter.write_example(example)

    def get_help(self, ctx: click.Context) -> str:
        """The help, as wide as there is room for."""
        page = HelpPage()
        self.format_help(ctx, page)
        return page.getvalue().rstrip('\n')


def _taken(argument: click.Parameter, option: str) -> UsageError:
    return UsageError(
        f'missing argument {argument.human_readable_name}: {option} takes all that follows it, up to the next option; '
        'put `--` before the argument, or the argument first'
    )


def verb(*examples: str, on_profile: bool = True, kind: type[Verb] = Verb) -> Callable[[Function], Verb]:
    """Make a command of a function whose first argument is the `CommandSession` and whose docstring is the help.

    :param examples: command lines that show the use.
    :param on_profile: whether it works on what `--profile` or `--archive` name; else the help leaves these out.
    :param kind: of a class of its own, where it takes its arguments apart in a way of its own.
    """

    def decorate(function: Function) -> Verb:
        parameters = list(reversed(getattr(function, '__click_params__', [])))
        taken = {name for parameter in parameters for name in parameter.opts}
        paths = {parameter.name for parameter in parameters if isinstance(parameter.type, click.Path)}

        def callback(**values: Any) -> Any:
            for heeded in HEEDED:
                values.pop(heeded, None)
            name = _place(values.pop('common_profile'), values.pop('common_archive'), on_profile)
            session = CommandSession(name, *_loudness(values))
            values = {key: value if key in paths else _as_unicode(value) for key, value in values.items()}
            if session.verbose and session.quiet:
                raise UsageError('--verbose and --quiet contradict each other')
            if session.verbose:
                session.tell_where()
            with warnings.catch_warnings():
                for category in TOLD:
                    warnings.simplefilter('default', category)
                warnings.showwarning = session.tell_warning
                with session.named_when_interrupted(on_profile):
                    return function(session, **values)

        command = kind(
            name=function.__name__,
            callback=callback,
            params=parameters + _common_options(taken, on_profile),
            help=function.__doc__,
            context_settings={'help_option_names': ['-h', '--help'], 'max_content_width': WIDEST},
        )
        command.examples = examples
        return command

    return decorate


def _as_unicode(value: Any) -> Any:
    """A value as it was meant, whatever the locale; paths stay as the system has them."""
    if isinstance(value, tuple):
        return tuple(map(_as_unicode, value))
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f'{value} is no number that can be meant here')
    return as_unicode(value) if isinstance(value, str) else value


def _loudness(values: dict[str, Any]) -> tuple[bool, bool, int]:
    """Whether to tell more, whether to be quiet, and the lowest level that is told, out of the options of a verb."""
    verbose, quiet = values.pop('verbose'), values.pop('quiet')
    level = LEVELS[(values.pop('verbosity') or 'REPORT').upper()]
    return verbose or level < LEVELS['REPORT'], quiet, level


def _place(profile: str | None, archive: str | None, on_profile: bool) -> str | None:
    """What to work on: a profile by name, or an archive by path."""
    if archive is not None and not on_profile:
        raise UsageError('this verb does not look into an archive: leave --archive out')
    if archive is None:
        return None if profile is None else as_unicode(profile)
    if profile is not None:
        raise UsageError('--profile and --archive contradict each other')
    from ricordi.services.profiles.profiles import ArchiveName

    return ArchiveName(archive)


def _common_options(taken: set[str], on_profile: bool) -> list[click.Parameter]:
    """`--profile`, `--verbosity`, `--quiet` and so on; without the letters that the verb uses for something else."""

    def names(*wanted: str) -> list[str]:
        return [name for name in wanted if name not in taken]

    def flag(*wanted: str, text: str) -> GroupedOption:
        return GroupedOption([*names(*wanted)], group=COMMON, is_flag=True, help=text)

    profile = GroupedOption(
        [*names('-p', '--profile'), 'common_profile'],
        group=COMMON,
        type=PROFILE,
        metavar='PROFILE',
        hidden=not on_profile,
        help='The profile to work on; else the default profile.',
    )
    archive = GroupedOption(
        ['--archive', 'common_archive'],
        group=COMMON,
        type=PathName(),
        metavar='FILE',
        hidden=not on_profile,
        help='An archive to look into, in place of a profile.',
    )
    color = GroupedOption(
        ['--color', 'common_color'],
        group=COMMON,
        type=click.Choice(WHEN),
        metavar='WHEN',
        help='Colour always, never, or auto: on a terminal.',
    )
    return [
        profile,
        archive,
        GroupedOption(
            ['--verbosity'],
            group=COMMON,
            type=click.Choice(tuple(LEVELS), case_sensitive=False),
            metavar='LEVEL',
            help='What to tell on stderr, as for verdi: INFO more, WARNING less, CRITICAL nothing. Also -v LEVEL.',
        ),
        VerboseFlag(['-v', '--verbose'], group=COMMON, is_flag=True, help='Tell more, on stderr.'),
        flag('-q', '--quiet', text=QUIET),
        *([] if '--color' in taken else [color]),
        flag('--no-color', 'common_no_color', text='No colour.'),
        flag('--utc', 'common_utc', text='Tell and read times in UTC, not in local time.'),
        flag('--debug', text='Show the traceback of an error.'),
    ]


def option(*names: str, group: str = 'Options', **attributes: Any) -> Callable[[Function], Function]:
    """An option of a verb, as `click.option`, under the heading `group`."""
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def format_option(*more: str) -> Callable[[Function], Function]:
    """`--format`: how the result is written; the value is None where the user did not say.

    :param more: formats that this verb knows beside those of all.
    """
    return option(
        '--format',
        'output_format',
        type=click.Choice((*FORMATS, *more)),
        group='Output',
        help='How to write the result. [default: table]',
    )


def order_direction_option() -> Callable[[Function], Function]:
    """`--order-direction`: which way a list is sorted."""
    return option(
        '--order-direction',
        '-D',
        type=click.Choice(['asc', 'desc']),
        default='asc',
        group='Output',
        help='Upwards or downwards. [default: asc]',
    )


def yes_option(text: str = 'Do not ask.') -> Callable[[Function], Function]:
    """`--yes`, with verdi's `-f/--force` for the same."""
    return option('--yes', '-y', '--force', '-f', 'yes', is_flag=True, help=text)
