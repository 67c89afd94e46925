"""What may have been meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half-sentence naming the known words that look like `word`, or a full stop: `; did you mean `storage`?`."""
    from difflib import get_close_matches

    known = list(known)
    close = get_close_matches(word, known, n=3, cutoff=0.6) or [name for name in known if name.startswith(word)][:3]
    if not close:
        return '.'
    return '; did you mean ' + ' or '.join(f'`{name}`' for name in close) + '?'
