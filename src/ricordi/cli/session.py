"""What all verbs are handed: the profile that was named, and how much to tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ricordi.cli.terminal.prose import complain, prose
from ricordi.errors import AccessWarning, FutureSnapshot, SlowAnswer, StoppedWorker, UsageError
from ricordi.services.nodes.log_levels import LEVELS

TOLD = (AccessWarning, StoppedWorker, SlowAnswer, FutureSnapshot)
"""The warnings that a person is told."""


class CommandSession(NamedTuple):
    """The options that all verbs have.

    :param profile_name: what `-p` named, or None for the default profile.
    :param level: of what is told on stderr, the lowest; errors are told in any case.
    """

    profile_name: str | None = None
    verbose: bool = False
    quiet: bool = False
    level: int = LEVELS['REPORT']

    @property
    def silent(self) -> bool:
        """Whether notices and progress are left out; other than with `quiet`, a list stays a table."""
        return self.quiet or self.level > LEVELS['REPORT']

    @property
    def reads_archive(self) -> bool:
        """Whether an archive was named in place of a profile."""
        from ricordi.services.profiles.profiles import ArchiveName

        return isinstance(self.profile_name, ArchiveName)

    def refuse_archive(self) -> None:
        """Refuse `--archive` where what is asked for is in a configuration.

        :raises ricordi.errors.UsageError: it was given.
        """
        if self.reads_archive:
            raise UsageError('an archive is in no configuration, which this verb is about: leave --archive out')

    def tell(self, message: str, level: int = LEVELS['REPORT']) -> None:
        """Say something to a person, on stderr, unless `--quiet`, or `--verbosity` asks for what weighs more."""
        if not self.quiet and level >= self.level:
            sys.stdout.flush()  # what was printed before comes first, where both go to one place
            print(prose(message, sys.stderr), file=sys.stderr, flush=True)

    @staticmethod
    def tell_error(message: str) -> None:
        """Say on stderr what went wrong where the work goes on."""
        sys.stdout.flush()
        complain(f'ricordi: error: {message}')

    def tell_warning(self, message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        """Tell a warning of Python's (`warnings.showwarning`): in a line of its own if it is one of ours."""
        if issubclass(category, TOLD):
            self.tell(f'ricordi: warning: {message}', LEVELS['WARNING'])
        elif self.verbose:
            self.tell(f'ricordi: warning: {category.__name__}: {message}', LEVELS['WARNING'])

    def reports(self, output_format: str | None, dry_run: bool = False) -> bool:
        """Whether a verb that changes something prints what it did: not with `--quiet`, unless it was asked for.

        What a verb was called to show (a list, details, a plan) is printed always.

        :param output_format: what `--format` said; None: nothing.
        :param dry_run: the plan is all that there is to come.
        """
        return not self.quiet or dry_run or output_format is not None

    @contextmanager
    def named_when_interrupted(self, on_profile: bool) -> Iterator[None]:
        """Have the error of work that ended early say of which profile it is: a log may be that of many.

        :param on_profile: whether the verb works on one.
        """
        from ricordi.errors import Interrupted

        try:
            yield
        except Interrupted as error:
            told = str(error)
            if on_profile and (where := self.place_in_words()) and where not in told:
                error.args = (f'{where}: {told}', *error.args[1:])
            raise

    def place_in_words(self) -> str:
        """`profile main`, or `archive paper.aiida`; empty where there is no such thing."""
        from ricordi.errors import RicordiError
        from ricordi.services.profiles.profiles import find_profile

        if self.reads_archive:
            return f'archive {self.profile_name}'
        try:
            return f'profile {self.profile_name or find_profile(None).name}'
        except RicordiError:
            return ''

    def tell_where(self) -> None:
        """Say which program works on which profile of which configuration, as far as it can be told."""
        from ricordi.config import get_config_folder
        from ricordi.errors import RicordiError
        from ricordi.services.profiles.profiles import find_profile, location
        from ricordi.version import __version__

        self.tell(f'ricordi: version {__version__}, configuration folder {get_config_folder()}')
        try:
            profile = find_profile(self.profile_name)
            self.tell(f'ricordi: profile `{profile.name}`, {profile.storage_backend}: {location(profile)}')
        except RicordiError:
            pass  # told by the verb, if it needs a profile
