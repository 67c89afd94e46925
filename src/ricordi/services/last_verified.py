"""What earlier verifications have left known of a storage: in words, and as plain data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ricordi.backend.verification_report import RECENT_DAYS, VerificationState
from ricordi.services.ages import ago


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
    words = [f'structure checked {ago(state.structure, now)}' if state.structure else 'structure never checked']
    if state.oldest is None:
        words.append('content never read')
    else:
        words.append(f'{_percent(state.recent_share)} of the content read within {RECENT_DAYS} days')
        words.append(f'the part that was read longest ago {ago(state.oldest, now)}')
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
