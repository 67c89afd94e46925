"""What earlier verifications have left known of a storage: in words, and as plain data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ricordi.backend.verification_report import RECENT_DAYS, VerificationState


def state_as_data(state: VerificationState) -> dict[str, Any]:
    """What is known, as plain data; the keys are documented in docs/json-output.md and stay."""
    return {
        'structure': state.structure,
        'open_findings': state.findings,
        'total_bytes': state.total,
        'read_bytes': state.read,
        'recent_bytes': state.recent,
        'recent_share': round(state.recent_share, 6),
        'oldest': state.oldest,
    }


def state_in_words(state: VerificationState, now: datetime | None = None) -> str:
    """What is known, in a line.

    :param now: None: now.
    """
    now = now or datetime.now(UTC)
    words = [f'structure checked {_ago(state.structure, now)}' if state.structure else 'structure never checked']
    if state.oldest is None:
        words.append('content never read')
    else:
        words.append(f'{_percent(state.recent_share)} of the content read within {RECENT_DAYS} days')
        words.append(f'the part that was read longest ago {_ago(state.oldest, now)}')
        if state.read < state.total:
            words.append(f'{_percent(1 - state.read / state.total)} never')
    number = f'{state.findings:,}' if state.findings else 'no'
    words.append(f'{number} open finding{"" if state.findings == 1 else "s"}')
    return ', '.join(words)


def _percent(share: float) -> str:
    """A share; what is not all is not told as 100 %, and what is not nothing not as 0 %."""
    whole = round(100 * share)
    if 0 < share < 1 and whole in (0, 100):
        return 'under 1 %' if whole == 0 else 'over 99 %'
    return f'{whole} %'


def _ago(moment: datetime, now: datetime) -> str:
    return ago((now - moment).total_seconds())


def ago(seconds: float) -> str:
    """How long something is past: `3 hours ago`, `just now`."""
    words = span_in_words(seconds)
    return f'{words} ago' if words else 'just now'


def span_in_words(seconds: float) -> str:
    """A length of time in its largest unit, rounded down: `8 days`; empty where it is under a minute."""
    for length, unit in ((86_400, 'day'), (3600, 'hour'), (60, 'minute')):
        if number := max(0, int(seconds)) // length:
            return f'{number:,} {unit}{"" if number == 1 else "s"}'
    return ''
