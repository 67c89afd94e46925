"""The options of the configuration: shown, set and unset, for one profile or for all."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ricordi.config import Config, load_config
from ricordi.config.options import Option, get_option, is_set, read_option
from ricordi.errors import ConfigurationError, UsageError
from ricordi.services.profiles.profiles import find_profile

Change = Literal['set', 'append', 'remove']


class OptionValue(NamedTuple):
    """An option with its value.

    :param source: where the value is from: `profile`, `global`, or `default`.
    """

    name: str
    source: str
    value: Any
    description: str


class OptionDetails(NamedTuple):
    """All there is to tell about an option.

    :param kind: what it takes: `int`, `bool`, `str`, `list`, `level` …
    :param global_value: what is set for all profiles; None: nothing, or not at all.
    :param profile_value: what is set for the profile.
    """

    name: str
    description: str
    kind: str
    default: Any
    global_only: bool
    is_global_set: bool
    global_value: Any
    is_profile_set: bool
    profile_value: Any


class OptionChange(NamedTuple):
    """What was changed.

    :param profile: the profile that it was changed for; None: all.
    """

    option: Option
    value: Any
    profile: str | None


def list_options(profile_name: str | None, prefix: str = '', advanced: bool = False) -> list[OptionValue]:
    """The options that have a value, by name.

    :param profile_name: whose; None: of the default profile, or of none where there is no such.
    :param prefix: how their names begin.
    :param advanced: also those that few need.
    """
    config = load_config()
    found = config.get_options(_scope(config, profile_name))
    return [
        OptionValue(name, source, value, option.description)
        for name, (option, source, value) in sorted(found.items())
        if name.startswith(prefix) and (advanced or not option.advanced)
    ]


def get_value(profile_name: str | None, name: str) -> Any:
    """The value of an option, as it counts for a profile: its own, that for all, or the default.

    :raises ricordi.errors.ConfigurationError: there is no such option.
    """
    config, option = load_config(), find_option(name)
    found = config.get_options(_scope(config, profile_name)).get(option.name)
    return option.default if found is None else found[2]


def show_option(profile_name: str | None, name: str) -> OptionDetails:
    """All there is to tell about an option; errors as of `get_value`."""
    config, option = load_config(), find_option(name)
    scope = _scope(config, profile_name)
    own = {} if scope is None else config.get_profile(scope).options
    return OptionDetails(
        name=option.name,
        description=option.description,
        kind=option.kind,
        default=option.default,
        global_only=option.global_only,
        is_global_set=is_set(option, config.options),
        global_value=read_option(option, config.options),
        is_profile_set=is_set(option, own),
        profile_value=read_option(option, own),
    )


def change_option(
    profile_name: str | None, name: str, text: str, for_all: bool = False, how: Change = 'set'
) -> OptionChange:
    """Set an option, or add a value to a list, or take it away, and store the configuration.

    :param for_all: for all profiles; so it is also where the option means nothing for one, or there is no profile.
    :raises ricordi.errors.ConfigurationError: there is no such option, or the value is none for it.
    :raises ricordi.errors.UsageError: the option is no list, to or from which something could be added or taken.
    """
    config, option = load_config(), find_option(name)
    scope = None if for_all or option.global_only else _scope(config, profile_name)
    value: Any = text
    if how != 'set':
        if option.kind != 'list':
            raise UsageError(f'{option.name} is no list of values: it can be set, and nothing be added or taken away')
        values = list(config.get_option(option.name, scope))
        value = [one for one in values if one != text] if how == 'remove' else [*dict.fromkeys([*values, text])]
    stored = config.set_option(option.name, value, scope)
    config.store()
    return OptionChange(option, stored, scope)


def unset_option(profile_name: str | None, name: str, for_all: bool = False) -> OptionChange:
    """Unset an option: what is set for all profiles counts then, or the default; parameters as of `change_option`."""
    config, option = load_config(), find_option(name)
    scope = None if for_all or option.global_only else _scope(config, profile_name)
    config.unset_option(option.name, scope)
    config.store()
    return OptionChange(option, None, scope)


def find_option(name: str) -> Option:
    """A known option.

    :raises ricordi.errors.ConfigurationError: there is no such option; the message tells what may have been meant.
    """
    try:
        return get_option(name)
    except ConfigurationError as error:
        from ricordi.config.options import get_option_names
        from ricordi.services.suggestion import did_you_mean

        hint = did_you_mean(name, get_option_names()).rstrip('.')
        raise ConfigurationError(f'{error}{hint}', remedy=None if hint else error.remedy) from None


def _scope(config: Config, profile_name: str | None) -> str | None:
    """The profile whose options are meant; None where none is named and there is no default one."""
    if profile_name is None and config.default_profile_name is None:
        return None
    return find_profile(profile_name, config).name
