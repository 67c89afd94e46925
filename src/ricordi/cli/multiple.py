"""Options that take several values in a row: `-P pk uuid label`, as verdi's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ricordi.cli.verb import Function, GroupedOption


class SeveralValues(GroupedOption):
    """An option whose values go on up to the next option, or `--`; it may also be given again."""

    takes_all_that_follows = True

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, multiple=True, **attributes)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Have the parser hand over all values that follow, one after the other."""
        super().add_to_parser(parser, ctx)
        known = {**parser._short_opt, **parser._long_opt}
        # One and the same object stands under each of the names.
        for option in {id(known[name]): known[name] for name in self.opts if name in known}.values():
            self._take_all(option)

    @staticmethod
    def _take_all(option: Any) -> None:
        take_one = option.process

        def take_all(value: str, state: Any) -> None:
            take_one(value, state)
            while state.rargs and not state.rargs[0].startswith('-'):
                take_one(state.rargs.pop(0), state)

        option.process = take_all


def several(*names: str, group: str = 'Options', **attributes: Any) -> Callable[[Function], Function]:
    """An option of a verb that takes several values in a row; the value is a tuple, empty where it is not given."""
    return click.option(*names, cls=SeveralValues, group=group, **attributes)
