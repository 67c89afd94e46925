"""How a verification is told: as text for a person, as plain data with stable keys for a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from ricordi.backend.verification import Cure, Finding
from ricordi.backend.verification_report import Topic, VerificationReport
from ricordi.cli.terminal.colors import painted
from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.quantities import format_bytes, format_seconds, plural
from ricordi.cli.terminal.table import format_table
from ricordi.errors import Interrupted, ProblemsFound
from ricordi.model.file_trees import is_key
from ricordi.services.last_verified import state_as_data, state_in_words

MOST_SHOWN = 20
"""So many findings of each kind are shown to a person; the JSON has more."""

WAYS_OUT: dict[Cure, str] = {
    'second copy': 'a good copy is at hand: `ricordi storage repair`',
    'source': '`ricordi storage repair --from SOURCE`, where the source is a backup, an archive, another profile',
    'index': '`ricordi storage repair`',
    'database': '`ricordi storage repair`; nothing is lost by that',
    'database with loss': '`ricordi storage repair --database` for what points nowhere; all else a person must decide',
    'maintenance': '`ricordi storage maintain`',
    'full maintenance': '`ricordi storage maintain --full`',
    'migrate': '`ricordi storage migrate`',
}
"""What to do about a finding."""
WHOSE = '`ricordi storage maintain --full --adopt`, if the objects are those of this database alone'
"""What to do about a container that may be that of another database."""
OF_THE_DATABASE = (
    *('damaged database', 'missing table', 'missing column', 'missing value', 'file tree', 'unreadable rows'),
    *('unreadable number', 'unreadable text', 'unreadable uuid', 'unreadable time', 'unreadable boolean'),
    'unreadable JSON',
)
"""Kinds of damage of the database."""
OF_A_BACKUP = 'nothing mends it in place; `ricordi storage restore` makes a profile of a backup that has it whole'
"""What to do about these where there is no other cure."""
ANEW = 'an archive is not mended in place: take another copy of it, or `ricordi archive create` makes it anew'
"""What to do about an archive."""
SINGULARS = {'unreadable rows': 'page of unreadable rows', 'unnamed bytes': 'stretch of unnamed bytes'}
PLURALS = {
    'second copy': 'second copies',
    'unreadable rows': 'pages of unreadable rows',
    'unnamed bytes': 'stretches of unnamed bytes',
    'odd JSON': 'odd values of JSON',
    'unreadable JSON': 'unreadable values of JSON',
}
"""Kinds of findings with their number, where that is not simply the kind, or the kind with an s."""


def exit_code_of(report: VerificationReport) -> int:
    """0 where all that was asked for was looked at and nothing was found; else that of findings, or of an early end."""
    if report.finding_count:
        return ProblemsFound.exit_code
    return Interrupted.exit_code if report.interrupted else 0


# for a program ---------------------------------------------------------------------------------------------


def report_as_data(subject: str, report: VerificationReport, noun: str = 'profile') -> dict[str, Any]:
    """The report as plain data; the keys are documented in docs/json-output.md and stay.

    :param subject: name of what was looked at.
    :param noun: what it is: a profile, or a `place` with backups.
    """
    subset = report.options.subset
    return {
        noun: subject,
        'read': report.options.read,
        'subset': subset and {key: value for key, value in asdict(subset).items() if value},
        'interrupted': report.interrupted,
        'topics': [_topic_as_data(topic) for topic in report.topics],
        'finding_count': report.finding_count,
        'counts': dict(report.counts),
        'notices': dict(report.notices),
        'findings': [_finding_as_data(finding) for finding in report.findings],
        'notes': list(report.notes),
        'state': report.state and state_as_data(report.state),
        'seconds': round(report.seconds, 6),
        'exit_code': exit_code_of(report),
    }


def _topic_as_data(topic: Topic) -> dict[str, Any]:
    return {
        'name': topic.name,
        'checked': topic.checked,
        'unit': topic.unit or None,
        'bytes': topic.bytes,
        'seconds': round(topic.seconds, 6),
        'complete': topic.complete,
    }


def _finding_as_data(finding: Finding) -> dict[str, Any]:
    nodes = [{'pk': pk, 'uuid': uuid, 'path': path} for pk, uuid, path in finding.nodes]
    return {
        'kind': finding.kind,
        'notice': finding.notice,
        'detail': finding.detail,
        'where': finding.where,
        'key': finding.key or None,
        'nodes': nodes,
        'remedy': finding.remedy or None,
    }


# for a person ----------------------------------------------------------------------------------------------


def report_as_text(subject: str, report: VerificationReport, noun: str = 'profile') -> str:
    """The report for a person: what was looked at, what was found, what is known now; arguments as above."""
    name = f'the place with backups {subject}' if noun == 'place' else f'{noun} `{subject}`'
    parts = [f'Verification of {name}, {_what(report)}.', _topics_table(report)]
    if report.findings:
        parts.append('\n'.join(finding_lines(report)))
    if report.notes:
        parts.append('\n'.join(f'Note: {note}' for note in report.notes))
    parts.append(_summary(report))
    return '\n\n'.join(parts)


def in_numbers(counts: Mapping[str, int]) -> str:
    """How many findings of each kind."""
    return ', '.join(plural(number, *_words(kind)) for kind, number in counts.items())


def finding_lines(report: VerificationReport) -> Iterator[str]:
    """The findings with their keys, nodes, paths and what to do, some of each kind."""
    for (notice, kind), group in groupby(report.findings, key=lambda finding: (finding.notice, finding.kind)):
        found = list(group)
        for finding in found[:MOST_SHOWN]:
            yield from lines_of(finding, report.mendable)
        number = (report.notices if notice else report.counts)[kind]
        if (more := number - len(found[:MOST_SHOWN])) > 0:
            yield f'  and {plural(more, *(f"more {words}" for words in _words(kind)))}'


def _words(kind: str) -> tuple[str, str]:
    """What one and what several of a kind are called."""
    return SINGULARS.get(kind, kind), PLURALS.get(kind, f'{kind}s')


def _what(report: VerificationReport) -> str:
    if not report.options.read:
        return 'structure only'
    return 'structure and content' if report.options.subset is None else 'structure and a part of the content'


def _topics_table(report: VerificationReport) -> str:
    rows = []
    for topic in report.topics:
        number = plural(topic.checked, topic.unit[:-1]) if topic.unit else ''
        how = '' if topic.complete else 'not all'
        size = format_bytes(topic.bytes) if topic.bytes else ''
        rows.append([topic.name, number, size, format_seconds(topic.seconds), how])
    return format_table(rows, ['what', 'checked', 'read', 'time', ''], right=range(1, 4))


def lines_of(finding: Finding, mendable: bool = True) -> Iterator[str]:
    """A finding for a person: what it is, where, the nodes, what to do.

    :param mendable: whether it can be mended where it is.
    """
    mark = 'notice: ' if finding.notice else ''
    yield f'{mark}{finding.kind}{f" {finding.key}" if finding.key else ""}: {one_line(finding.detail)}'
    if finding.where:
        yield f'    in {one_line(finding.where)}'
    for pk, uuid, path in finding.nodes:
        yield f'    node {pk} ({uuid}){f": {one_line(path)}" if path else ""}'
    if way_out := _way_out(finding, mendable):
        yield f'    way out: {way_out}'


def _way_out(finding: Finding, mendable: bool) -> str:
    """What to do about a finding; empty where nothing has to be done, or nobody can tell."""
    if finding.notice or finding.kind == 'failed check':
        return WAYS_OUT.get(finding.remedy, '')
    if not mendable:
        return ANEW
    if finding.kind == 'doubtful container':
        return WHOSE
    if finding.kind in OF_THE_DATABASE or (finding.kind == 'missing object' and not is_key(finding.key)):
        return WAYS_OUT.get(finding.remedy, OF_A_BACKUP)
    return WAYS_OUT.get(finding.remedy, '')


def _summary(report: VerificationReport) -> str:
    wrong = report.finding_count > 0
    found = painted(in_numbers(report.counts) if wrong else 'Nothing is wrong', 'bad' if wrong else 'good')
    if report.interrupted:
        found = f'{found} so far'
    notices = f'; {plural(sum(report.notices.values()), "notice")}' if report.notices else ''
    told = f'{found}{notices}, in {format_seconds(report.seconds)}.'
    if report.state is None:
        return told
    state = state_in_words(report.state)
    return f'{told}\n{state[0].upper()}{state[1:]}.'
