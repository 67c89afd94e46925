"""What may have been meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half-sentence naming the known words that look like `word`, or a full stop: `; did you mean `storage`?`."""
    from difflib import SequenceMatcher

    if not word:
        return '.'
    known = list(known)
    likeness = {name: SequenceMatcher(None, word, name).ratio() for name in known}
    bar = max(0.6, max(likeness.values(), default=0.0) - 0.1)
    close = sorted((name for name in known if likeness[name] >= bar), key=lambda name: -likeness[name])[:3]
    close = close or [name for name in known if name.startswith(word)][:3]
    if not close:
        return '.'
    return '; did you mean ' + ' or '.join(f'`{name}`' for name in close) + '?'
