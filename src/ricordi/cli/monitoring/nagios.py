"""`ricordi status` as a plug-in of Nagios and its kin: one line with performance data, and the codes 0, 1, 2, 3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ricordi.cli.remedies import with_remedy
from ricordi.services.status import garbage_percent

if TYPE_CHECKING:
    from ricordi.services.status import Status, StatusCheck, StatusQuestion

OK, WARNING, CRITICAL, UNKNOWN = range(4)
WORDS = ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')
WORST_FIRST = (CRITICAL, WARNING, UNKNOWN, OK)
CODES = {0: OK, 1: UNKNOWN, 2: UNKNOWN, 5: WARNING, 7: WARNING}
"""By the exit code of `ricordi status`: a profile that is locked is being maintained; all others are critical."""


def plugin_line(found: Sequence[tuple[str, Status]], question: StatusQuestion) -> tuple[str, int]:
    """The line for all profiles, each with its name, and the code of the worst.

    :param question: with the thresholds, which stand beside the numbers.
    """
    if not found:
        return 'RICORDI UNKNOWN - there are no profiles', UNKNOWN
    codes = [_code_of(status.exit_code) for _, status in found]
    worst = next(code for code in WORST_FIRST if code in codes)
    wrong = [
        f'{name or "no profile"}: {_wrong(status)}' for (name, status), code in zip(found, codes, strict=True) if code
    ]
    words = '; '.join(wrong) or f'{", ".join(name for name, _ in found)}: all is well'
    numbers = ' '.join(number for name, status in found for number in _performance(name, status, question))
    line = f'RICORDI {WORDS[worst]} - {plain(words)}'
    return (f'{line} | {numbers}' if numbers else line), worst


def unknown_line(reason: str) -> str:
    """The line of a plug-in that could not look."""
    return f'RICORDI UNKNOWN - {plain(reason)}'


def plain(text: str) -> str:
    """A text in one line, without the sign that parts it from the numbers."""
    return ' '.join(text.replace('|', '/').split())


def _code_of(exit_code: int) -> int:
    return CODES.get(exit_code, CRITICAL)


def _wrong(status: Status) -> str:
    worst_first = sorted((check for check in status.checks if check.exit_code), key=lambda one: one.state == 'warning')
    return ', '.join(map(_told, worst_first))


def _told(check: StatusCheck) -> str:
    return f'{check.name}: {with_remedy(check.detail, check.remedy)}'


def _performance(name: str, status: Status, question: StatusQuestion) -> Iterator[str]:
    """`'label'=value[unit];warn;crit;min`; no label has a quote or an equals sign."""
    label = plain(name).replace("'", ' ').replace('=', ' ')
    if status.plan is not None:
        state, share = status.plan.before, garbage_percent(status.plan)
        yield f"'{label} loose'={state.loose.objects};;;0"
        yield f"'{label} size'={state.loose.bytes + state.packed.bytes}B;;;0"
        yield f"'{label} waste'={state.waste_bytes}B;;;0"
        if share is not None:
            yield f"'{label} garbage'={share:.2f}%;{_limit(question.max_garbage)};;0;100"
    now = question.now or datetime.now(UTC)
    for what, moment, limit in (
        ('full', status.maintained.get('full'), question.max_age_full),
        ('backup', status.backup and status.backup.time, question.max_age_backup),
    ):
        if moment is not None:
            yield f"'{label} {what} age'={max(0, round((now - moment).total_seconds()))}s;{_limit(limit)};;0"


def _limit(limit: float | None) -> str:
    return '' if limit is None else f'{limit:g}' if limit < 1e6 else f'{limit:.0f}'
