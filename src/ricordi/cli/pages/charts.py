"""The figures of the report on a storage, as plotly takes them, and plotly itself for the page that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ricordi.backend.maintenance import MaintenanceReport
from ricordi.cli.pages.document import for_script, resource
from ricordi.cli.storage.usage_cells import name_of
from ricordi.cli.terminal.quantities import format_bytes, format_count, plural
from ricordi.errors import InvalidOperation
from ricordi.installing import way_to_install
from ricordi.services.usage.usage import NamedShare, SpaceReport, size_name

Figure = dict[str, Any]

COLOURS = ('#4c86c6', '#c9752d', '#4f9d69', '#a264b5', '#b89b2e', '#c45a6a', '#5aa5ad', '#87796b', '#7d8fd8', '#8aa34b')
"""Legible on light and on dark, and told apart by those who see red and green alike."""
BYTES = {'tickformat': '~s', 'ticksuffix': 'B'}
MOST_BARS = 15
MOST_TICKS = 6
LONGEST_NAME = 34


def load_plotly() -> str:
    """The script of plotly, as the package of that name brings it.

    :raises ricordi.errors.InvalidOperation: it is not installed.
    """
    try:
        return (files('plotly') / 'package_data' / 'plotly.min.js').read_text(encoding='utf-8')
    except (ModuleNotFoundError, FileNotFoundError):
        raise InvalidOperation(
            f'the page is drawn by plotly, which is not installed: `{way_to_install("plotly")}` installs it'
        ) from None


def with_figures(figures: Mapping[str, Figure]) -> str:
    """The elements that draw figures into the places of their names."""
    data = f'<script type="application/json" id="figures">{for_script(figures)}</script>\n'
    return f'{data}<script>{load_plotly()}</script>\n<script>\n{resource("charts.js")}</script>\n'


def treemaps(spaces: Mapping[str, SpaceReport]) -> Figure:
    """A map of the space for each dimension, to be chosen from; within each category what it is made of.

    :param spaces: name of the dimension → its sums.
    """
    layout = {'margin': {'l': 0, 'r': 0, 't': 6, 'b': 0}, 'treemapcolorway': COLOURS, 'height': 520}
    return {'layout': layout | {'narrow': {'height': 440}}, 'maps': {name: [_map(one)] for name, one in spaces.items()}}


def _map(space: SpaceReport) -> Figure:
    ids, labels, parents, values, texts = ['all'], ['everything'], [''], [0], [_told(space.usage.total)]
    outer = {one.share.category: one for one in space.shares if one.share.within is None}
    divided = {one.share.category for one in space.shares if one.share.within is not None}
    for category, one in outer.items():
        ids.append(f'{category!r}')
        labels.append(escape(name_of(one)))
        parents.append('all')
        values.append(0 if category in divided else one.share.stored_bytes)
        texts.append(_told(one.share))
    for one in space.shares:
        share = one.share
        if share.within is not None and share.category in outer:
            ids.append(f'{share.category!r} {share.within!r}')
            labels.append(escape(size_name(share.within) if isinstance(share.within, int) else str(share.within)))
            parents.append(f'{share.category!r}')
            values.append(share.stored_bytes)
            texts.append(_told(share))
    return {
        'type': 'treemap',
        'ids': ids,
        'labels': labels,
        'parents': parents,
        'values': values,
        'customdata': texts,
        'branchvalues': 'remainder',
        'marker': {},
        'tiling': {'pad': 2},
        'pathbar': {'thickness': 26},
        'texttemplate': '%{label}<br>%{customdata[0]}',
        'hovertemplate': '<b>%{label}</b><br>%{customdata[0]} stored, %{customdata[1]} content<br>%{customdata[2]}<br>'
        'deleting just these frees %{customdata[3]}<extra></extra>',
    }


def _told(share: Any) -> list[str]:
    sizes = (share.stored_bytes, share.content_bytes)
    return [*map(format_bytes, sizes), plural(share.objects, 'object'), format_bytes(share.freed_bytes)]


def growth(months: Sequence[NamedShare]) -> Figure:
    """What the nodes of each month take, and all up to it.

    :param months: in any order.
    """
    in_order = sorted((one for one in months if one.name), key=lambda one: one.name or '')
    names = [one.name for one in in_order]
    stored = [one.share.stored_bytes for one in in_order]
    so_far = [sum(stored[: number + 1]) for number in range(len(stored))]
    hover = '%{x|%B %Y}: %{customdata}<extra></extra>'
    common: Figure = {'x': [f'{name}-01' for name in names], 'showlegend': False, 'hovertemplate': hover}
    together = {
        'type': 'scatter',
        'mode': 'lines+markers' if len(names) < 60 else 'lines',
        'fill': 'tozeroy',
        'line': {'color': COLOURS[0], 'shape': 'linear'},
        'y': so_far,
        'customdata': [f'{format_bytes(count)} so far' for count in so_far],
        'yaxis': 'y2',
    }
    each = {
        'type': 'bar',
        'marker': {'color': COLOURS[1]},
        'y': stored,
        'customdata': [f'{format_bytes(one.share.stored_bytes)}, {_nodes(one)}' for one in in_order],
    }
    layout = {
        'height': 360,
        'margin': {'l': 10, 'r': 10, 't': 10, 'b': 10},
        'bargap': 0.2,
        'xaxis': {'anchor': 'y', 'type': 'date', 'tickformat': '%b\n%Y', **_ticks(common['x'])},
        'yaxis': {**BYTES, 'domain': [0, 0.42], 'nticks': 4, 'title': {'text': 'in the month'}},
        'yaxis2': {**BYTES, 'domain': [0.52, 1], 'nticks': 4, 'rangemode': 'tozero', 'title': {'text': 'so far'}},
    }
    return {'data': [each | common, together | common], 'layout': layout}


def _ticks(days: Sequence[str]) -> dict[str, Any]:
    """Each month where they are few; else as many as fit."""
    return {'nticks': 8} if len(days) > MOST_TICKS else {'tickvals': days}


def _nodes(one: NamedShare) -> str:
    return '' if one.share.nodes is None else plural(one.share.nodes, 'node')


def sizes(space: SpaceReport) -> Figure:
    """How many objects of each class of sizes there are, and what they take."""
    classes = sorted(
        (one for one in space.shares if isinstance(one.share.category, int)),
        key=lambda one: int(one.share.category or 0),
    )
    names = [(one.name or '').replace('from ', '≥ ') for one in classes]
    upper = {
        'type': 'bar',
        'x': names,
        'y': [one.share.objects for one in classes],
        'customdata': [format_count(one.share.objects) for one in classes],
        'hovertemplate': '%{x}: %{customdata} objects<extra></extra>',
        'marker': {'color': COLOURS[2]},
        'yaxis': 'y2',
        'showlegend': False,
    }
    lower = {
        'type': 'bar',
        'x': names,
        'y': [one.share.stored_bytes for one in classes],
        'customdata': [format_bytes(one.share.stored_bytes) for one in classes],
        'hovertemplate': '%{x}: %{customdata}<extra></extra>',
        'marker': {'color': COLOURS[0]},
        'showlegend': False,
    }
    layout = {
        'height': 360,
        'margin': {'l': 10, 'r': 10, 't': 10, 'b': 10},
        'bargap': 0.2,
        'xaxis': {'anchor': 'y', 'type': 'category', 'tickangle': 0, 'tickfont': {'size': 12}},
        'narrow': {'height': 340},
        'yaxis': {**BYTES, 'domain': [0, 0.45], 'nticks': 4, 'title': {'text': 'stored'}},
        'yaxis2': {'domain': [0.55, 1], 'nticks': 4, 'tickformat': '~s', 'title': {'text': 'objects'}},
    }
    return {'data': [lower, upper], 'layout': layout}


def state(plan: MaintenanceReport, database_bytes: int | None) -> Figure:
    """What the container and the database take, kind by kind."""
    before = plan.before
    kinds = [
        ('packed', before.packed.bytes, plural(before.packed.objects, 'object')),
        ('loose', before.loose.bytes, plural(before.loose.objects, 'object')),
        ('garbage', before.garbage.bytes if before.garbage else 0, 'of packed and loose: no node names it'),
        ('waste', before.waste_bytes, 'in packs: no object is there'),
        ('index', before.index_bytes, 'what lies where in the packs'),
        ('database', database_bytes or 0, 'nodes, links and their like'),
    ]
    colours = (COLOURS[0], COLOURS[6], COLOURS[5], COLOURS[1], COLOURS[7], COLOURS[3])
    return _bars(
        [name for name, _, _ in kinds],
        [('stored', [size for _, size, _ in kinds], colours)],
        [f'{format_bytes(size)}, {words}' for _, size, words in kinds],
        [format_bytes(size) for _, size, _ in kinds],
    )


def freed(groups: Sequence[NamedShare]) -> Figure:
    """What deleting the nodes of a group would free, and what they share with other nodes."""
    shown = groups[:MOST_BARS]
    names = [_short(name_of(one)) for one in shown]
    hover = [
        f'{format_bytes(one.share.freed_bytes)} freed, {format_bytes(one.share.shared_bytes)} shared with others'
        for one in shown
    ]
    parts = [
        ('freed', [one.share.freed_bytes for one in shown], COLOURS[2]),
        ('shared with other nodes', [one.share.shared_bytes for one in shown], COLOURS[7]),
    ]
    figure = _bars(names, parts, hover, [format_bytes(one.share.freed_bytes) for one in shown])
    figure['layout']['legend'] = {'orientation': 'h', 'x': 0, 'y': 1, 'yanchor': 'bottom', 'traceorder': 'normal'}
    figure['layout']['showlegend'] = True
    figure['layout']['margin']['t'] = 36
    return figure


def _short(name: str) -> str:
    """A name that fits beside a bar."""
    return escape(name if len(name) <= LONGEST_NAME else f'{name[: LONGEST_NAME - 1]}…')


def _bars(
    names: Sequence[str], parts: Sequence[tuple[str, Any, Any]], hover: Sequence[str], ends: Sequence[str]
) -> Figure:
    """Bars from left to right, the first name on top.

    :param parts: name, values and colour of what each bar is made of.
    :param ends: what is written at the end of each bar.
    """
    data = [
        {
            'type': 'bar',
            'orientation': 'h',
            'name': name,
            'y': list(range(len(names))),
            'x': list(values),
            'customdata': list(hover),
            'text': list(ends) if number == len(parts) - 1 else None,
            'textposition': 'outside',
            'cliponaxis': False,
            'hovertemplate': '%{customdata}<extra></extra>',
            'marker': {'color': list(colour) if isinstance(colour, tuple) else colour},
        }
        for number, (name, values, colour) in enumerate(parts)
    ]
    layout = {
        'barmode': 'stack',
        'showlegend': False,
        'height': 60 + 34 * max(1, len(names)),
        'margin': {'l': 10, 'r': 64, 't': 6, 'b': 10},
        'xaxis': {**BYTES, 'nticks': 5},
        # by number, since two groups of different kinds may have one name
        'yaxis': {'autorange': 'reversed', 'tickvals': list(range(len(names))), 'ticktext': list(names)},
    }
    return {'data': data, 'layout': layout}
