"""The kinds of value that options and arguments take; `completion` names what the shell offers for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.terminal.quantities import parse_duration, parse_percent, parse_subset
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from click import ParamType as ParamType
else:

    class ParamType(click.ParamType):
        """What click before 8.4, which AiiDA asks for, lacks: the type of the value may be named in brackets."""

        def __class_getitem__(cls, value_type: Any) -> type:
            return cls


class DurationType(ParamType[float]):
    """A duration, given like `10m`; the value is in seconds."""

    name = 'duration'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; a number passes."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_duration(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class PercentType(ParamType[float]):
    """A percentage from 0 to 100."""

    name = 'percent'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a number passes."""
        try:
            return parse_percent(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class SubsetType(ParamType[Any]):
    """A part of the content: `10%`, `20G` or `3/12`."""

    name = 'subset'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The part as a `Subset`."""
        try:
            return parse_subset(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Named(ParamType[str]):
    """A name of something that the program can list (`profile`), for which the shell asks it."""

    def __init__(self, kind: str) -> None:
        self.name = kind
        self.completion = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it stands; whether there is such a thing is for the service to say."""
        return _filled(self, value, param, ctx)


class Offered(ParamType[str]):
    """A word of which the program can list some that may be meant; any other will do as well."""

    name = 'text'

    def __init__(self, kind: str) -> None:
        self.completion = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it stands."""
        return str(value)


class NewName(ParamType[str]):
    """The name of something that is to be made: any text but none."""

    name = 'text'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it stands; whether it can be one is for the service to say."""
        return _filled(self, value, param, ctx)


class PathName(click.Path):
    """The path of a file or folder; an empty one, which would mean the current folder, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, in the type asked for."""
        return super().convert(_filled(self, value, param, ctx) if isinstance(value, str) else value, param, ctx)


def _filled(kind: ParamType[Any], value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
    """The text, if there is any."""
    text = str(value)
    if not text.strip():
        kind.fail('it is empty', param, ctx)
    return text


class PluginName(click.Choice):  # type: ignore[type-arg,unused-ignore]
    """The name of a plug-in: one of those of AiiDA, which the shell offers, or one of another package."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it stands; whether it can be meant is for the service to say."""
        return str(value)


DAYS = click.FloatRange(min=0, max=700_000)
"""Days before now: no more than there have been."""
DURATION = DurationType()
PERCENT = PercentType()
SUBSET = SubsetType()
NEW_NAME = NewName()
PROFILE = Named('profile')
USER = Named('user')
NODE = Named('node')
GROUP = Named('group')
COMPUTER = Named('computer')
CODE = Named('code')
OPTION = Named('option')
FIELD = Offered('field')
NODE_TYPE = Offered('type')
ATTRIBUTE = Offered('attribute')
EXTRA = Offered('extra')
JSON_FIELD = Offered('json-field')
FILTER = Offered('filter')
PROCESS_LABEL = Offered('process-label')
