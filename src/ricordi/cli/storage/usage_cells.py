"""The cells of the tables of `ricordi storage usage`, on paper and on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.quantities import format_bytes, format_count

if TYPE_CHECKING:
    from ricordi.backend.usage import LargeFile, Share
    from ricordi.services.usage.usage import NamedShare

NONE = '(none)'
"""The name of what has none of a dimension."""


def cells(share: Share) -> list[str]:
    """The sums of a share, in the order of the headings."""
    sizes = (share.stored_bytes, share.content_bytes, share.shared_bytes, share.freed_bytes)
    nodes = '' if share.nodes is None else format_count(share.nodes)
    return [*map(format_bytes, sizes), format_count(share.objects), nodes]


def name_of(one: NamedShare) -> str:
    """What to call a category, in one line."""
    return NONE if one.name is None else one_line(one.name)


def file_cells(file: LargeFile) -> list[str]:
    """A file with its sizes, how many nodes have it, and the first of them."""
    place = file.places[0] if file.places else None
    sizes = [format_bytes(file.stored_bytes), format_bytes(file.content_bytes), format_count(file.nodes)]
    return [*sizes, str(place.pk) if place else '', one_line(place.path) if place else file.key]
