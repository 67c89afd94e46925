"""Links that lead in a circle, found in memory that does not grow with the number of links.

Where every link leads to a node with a greater primary key there is no way back; so a circle lies where links lead
backwards from a node that another link leads to, and only there the nodes are looked at: again and again, those are
taken away that no link leads to any more. What is left are circles, and what comes after them.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator

from ricordi.backend.verification import Finding
from ricordi.model.links import ACYCLIC, names_of
from ricordi.storage.verification.declared import SchemaPart
from ricordi.storage.verification.kinds import KINDS
from ricordi.storage.verification.look import Look
from ricordi.storage.verification.rows import LINKS

LONGEST_SHOWN = 20
Link = tuple[int, int]
_ENDS = ('input_id', 'output_id')
_KINDS = f"coalesce(type, '') IN ({', '.join(map(repr, names_of(ACYCLIC)))}) AND input_id <> output_id"
"""As an expression, and below a sign before a column: so that the index of the other column is used, not this one's."""


def check_cycles(look: Look) -> Iterator[Finding]:
    """Find circles of links of data provenance and calls; of those that share a node, some."""
    for region in _regions(look):
        yield from _Region(look, region).circles()


def _regions(look: Look) -> Iterator[range]:
    """Ranges of primary keys of nodes with all circles in them."""
    first, last = (look.reader.rows(f'SELECT {function}(id) FROM db_dbnode')[0][0] for function in ('min', 'max'))
    if first is None or last is None:
        return
    width = max(1, -(-(last + 1 - first) // look.sizes.buckets))
    opened = array('q', bytes(8 * ((last - first) // width + 2)))
    touched = bytearray(len(opened))
    for source, target in _backward_links(look):
        if first <= target <= source <= last:  # others name nodes that are not there
            begin, end = (target - first) // width, (source - first) // width
            opened[begin] += 1
            opened[end] -= 1
            touched[begin] = 1
    yield from _joined(_runs(opened, touched), first, width, look.sizes.widest)


def _backward_links(look: Look) -> Iterator[Link]:
    """The links that lead to a lesser primary key, but for most of those that can lie in no circle."""
    condition = f'input_id > output_id AND {_links(look)}'
    if SchemaPart(LINKS, 'index', 'output_id') in look.there:
        # Inputs are often stored after what takes them, and nothing has made them. As the value of a SELECT and not by
        # EXISTS, of which PostgreSQL might make a join with all links, for each page.
        before = f'SELECT 1 FROM {LINKS} AS before WHERE before.output_id = {LINKS}.input_id AND {_links(look)} LIMIT 1'
        condition += f' AND ({before}) IS NOT NULL'
    for page in look.pages(LINKS):
        yield from look.reader.rows(
            f'SELECT input_id, output_id FROM {LINKS} WHERE id BETWEEN {page[0]} AND {page[-1]} AND {condition}'
        )


def _links(look: Look) -> str:
    """The condition that a link is one that may lie in no circle, between what may be nodes."""
    columns = look.reader.schema.columns[LINKS]
    unsound = filter(None, (look.reader.unsound(columns[end], end) for end in _ENDS))
    return ' AND '.join((_KINDS, *(f'NOT ({condition})' for condition in unsound)))


def _runs(opened: array[int], touched: bytearray) -> Iterator[tuple[int, int]]:
    """First and last bucket of each run that links lead back over."""
    over, begin = 0, None
    for bucket, change in enumerate(opened):
        if begin is None and touched[bucket]:
            begin = bucket
        over += change
        if begin is not None and not over:
            yield begin, bucket
            begin = None


def _joined(runs: Iterator[tuple[int, int]], first: int, width: int, widest: int) -> Iterator[range]:
    """Ranges of primary keys, of which neighbours are taken together as long as that stays small."""
    current: range | None = None
    for begin, end in runs:
        this = range(first + begin * width, first + (end + 1) * width)
        if current is not None and this.stop - current.start <= widest:
            current = range(current.start, this.stop)
            continue
        if current is not None:
            yield current
        current = this
    if current is not None:
        yield current


class _Region:
    """The nodes of a range of primary keys and the links between them."""

    def __init__(self, look: Look, region: range) -> None:
        self._look = look
        self._region = region
        self._first = region.start
        self._incoming: array[int] | defaultdict[int, int] = (
            array('i', bytes(4 * len(region))) if len(region) <= look.sizes.array else defaultdict(int)
        )
        """How many links still lead to a node, by its primary key less the first."""
        self._inside = f'BETWEEN {region[0]} AND {region[-1]}'
        self._kinds = _links(look)
        self._opened: set[Link] = set()
        """Links, by their ends, that count as not there, for the circle that they close was told."""

    def circles(self) -> Iterator[Finding]:
        """Take away all that lies in no circle; tell a circle of what is left, and open it, until nothing is left."""
        self._count()
        self._take_away_in_order()
        named = 0
        for place in self._places():
            while self._incoming[place] > 0:
                if named == self._look.sizes.named:
                    yield from self._more()
                    return
                circle = self._circle(self._first + place)
                if not circle:  # what led here was removed meanwhile
                    self._incoming[place] = 0
                    self._take_away([self._first + place])
                    continue
                named += 1
                yield from self._told(circle)
                self._open(circle)

    def _places(self) -> Iterator[int]:
        """The nodes, as the check goes on, that something may lead to."""
        if isinstance(self._incoming, array):
            yield from (place for place, number in enumerate(self._incoming) if number)
        else:
            yield from sorted(self._incoming)

    def _more(self) -> Iterator[Finding]:
        counts = self._incoming if isinstance(self._incoming, array) else self._incoming.values()
        left = sum(1 for number in counts if number > 0)
        detail = f'and more: {left:,} nodes are left that lie in such circles, or come after them'
        yield Finding('link cycle', detail, LINKS, remedy=KINDS['link cycle'].remedy)

    # -- taking away ------------------------------------------------------------------------------------------

    def _count(self) -> None:
        first = self._first
        for page in self._look.pages(LINKS, 'output_id', self._region):
            for target, number in self._look.reader.rows(
                f'SELECT output_id, count(*) FROM {LINKS} WHERE output_id BETWEEN {page[0]} AND {page[-1]} '
                f'AND +input_id {self._inside} AND {self._kinds} GROUP BY output_id'
            ):
                self._incoming[target - first] = number

    def _take_away_in_order(self) -> None:
        """One pass over the links in the order of their sources; who is freed behind its place is taken at once."""
        first, incoming = self._first, self._incoming
        for page in self._look.pages(LINKS, 'input_id', self._region):
            freed = []
            for source, target in self._look.reader.rows(
                f'SELECT input_id, output_id FROM {LINKS} WHERE input_id BETWEEN {page[0]} AND {page[-1]} '
                f'AND +output_id {self._inside} AND {self._kinds} ORDER BY input_id'
            ):
                if not incoming[source - first] and incoming[target - first] > 0:
                    incoming[target - first] -= 1
                    if not incoming[target - first] and target < source:
                        freed.append(target)
            self._take_away(freed, page[-1])

    def _take_away(self, free: list[int], passed: int | None = None) -> None:
        """Take away nodes that nothing leads to, and all that become such; beyond `passed` they are met later."""
        first, incoming = self._first, self._incoming
        while free:
            layer, free = free, []
            for target in self._targets(layer):
                if incoming[target - first] > 0:
                    incoming[target - first] -= 1
                    if not incoming[target - first] and (passed is None or target <= passed):
                        free.append(target)

    def _targets(self, sources: list[int]) -> Iterator[int]:
        """Where links lead from nodes, so many of them at a time."""
        size = self._look.sizes.sources
        for begin in range(0, len(sources), size):
            listed = ', '.join(map(str, sources[begin : begin + size]))
            for source, target in self._look.reader.rows(
                f'SELECT input_id, output_id FROM {LINKS} WHERE input_id IN ({listed}) '
                f'AND +output_id {self._inside} AND {self._kinds}'
            ):
                if (source, target) not in self._opened:
                    yield target

    # -- circles ----------------------------------------------------------------------------------------------

    def _circle(self, node: int) -> list[int]:
        """Go back from a node until one is met again; the circle in the direction of its links, or nothing."""
        way = {node: 0}
        while True:
            before = self._before(node)
            if before is None:
                return []
            if before in way:
                nodes = list(way)[way[before] :]
                return [nodes[0], *reversed(nodes[1:])]
            way[before] = len(way)
            node = before

    def _before(self, node: int) -> int | None:
        """A node that is left and leads to another."""
        for (source,) in self._look.reader.rows(
            f'SELECT input_id FROM {LINKS} WHERE output_id = {node} AND +input_id {self._inside} AND {self._kinds}'
        ):
            if self._incoming[source - self._first] > 0 and (source, node) not in self._opened:
                return int(source)
        return None

    def _told(self, circle: list[int]) -> Iterator[Finding]:
        shown = circle if len(circle) <= LONGEST_SHOWN else circle[:LONGEST_SHOWN]
        way = ' → '.join(map(str, [*shown, *(['…'] if len(shown) < len(circle) else []), circle[0]]))
        detail = f'{len(circle)} nodes come from themselves: {way}'
        place = ', '.join(str(pk) for pk in self._links(circle))
        nodes = self._look.reader.nodes(list(circle[: self._look.sizes.named]))
        yield from self._look.tally.found('link cycle', LINKS, detail, place, nodes)

    def _links(self, circle: list[int]) -> list[int]:
        """The links that close a circle: from its last node to its first."""
        rows = self._look.reader.rows(
            f'SELECT id FROM {LINKS} WHERE input_id = {circle[-1]} AND output_id = {circle[0]} '
            f'AND {self._kinds} ORDER BY id'
        )
        return [int(pk) for (pk,) in rows]

    def _open(self, circle: list[int]) -> None:
        """Go on as if the links that close a circle were not there."""
        self._opened.add((circle[-1], circle[0]))
        place = circle[0] - self._first
        self._incoming[place] = max(0, self._incoming[place] - max(1, len(self._links(circle))))
        if not self._incoming[place]:
            self._take_away([circle[0]])
