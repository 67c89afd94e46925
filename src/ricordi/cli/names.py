"""What the completion scripts ask for: `ricordi _names KIND [START]` prints the names, one a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ricordi.errors import RicordiError


def print_names(arguments: list[str]) -> int:
    """Print the names of a kind; nothing, and no error, where there are none: a shell is in the middle of a line."""
    kind, start = [*arguments, '', ''][:2]
    source = SOURCES.get(kind)
    if source is None:
        return 0
    try:
        names = [name for name in source() if name.startswith(start)]
    except (RicordiError, OSError):
        return 0
    if names:
        print('\n'.join(names))
    return 0


def _profiles() -> Iterable[str]:
    from ricordi.services.profile import profile_names

    return profile_names()


SOURCES: dict[str, Callable[[], Iterable[str]]] = {'profile': _profiles}
