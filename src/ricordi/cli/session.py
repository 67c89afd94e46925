"""What all verbs are handed: the profile that was named, and how much to tell."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """The options that all verbs have.

    :param profile_name: what `-p` named, or None for the default profile.
    """

    profile_name: str | None = None
    verbose: bool = False
    quiet: bool = False
    debug: bool = False

    def tell(self, message: str) -> None:
        """Say something to a person, on stderr, unless `--quiet`."""
        if not self.quiet:
            print(message, file=sys.stderr, flush=True)

    def shows_result(self, output_format: str | None) -> bool:
        """Whether the result of an action is printed: not with `--quiet`, unless a format was asked for."""
        return not self.quiet or output_format is not None

    def configure_logging(self) -> None:
        """Send the log of the package to stderr: warnings, with `--verbose` more, with `--quiet` errors only."""
        import logging

        level = logging.WARNING
        if self.quiet:
            level = logging.ERROR
        if self.verbose:
            level = logging.INFO
        if self.debug:
            level = logging.DEBUG
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter('ricordi: %(levelname)s: %(message)s'))
        logger = logging.getLogger('ricordi')
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
