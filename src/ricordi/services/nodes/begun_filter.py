"""How a filter that is being written may go on, for a shell to complete: fields, operators, what joins comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ricordi.services.nodes.where import JUNCTIONS, OPERATORS, WORD_OPERATORS, tokens_of

_WORDS = {'operator': OPERATORS, 'denied': WORD_OPERATORS, 'junction': JUNCTIONS}
_WORD_AT_END = re.compile(r"""[^\s()\[\],<>=!'"]*\Z""")


def continuations(text: str, fields: Callable[[str], Iterable[str]]) -> list[str]:
    """The text with each word that may stand where its last one is begun; none where a value is to be written.

    :param fields: the fields that begin like a word; such as cannot be written without quotes are left out.
    :raises ricordi.errors.UsageError: what comes before the last word cannot be read.
    """
    word = _word_at_end(text)
    before = text[: len(text) - len(word)]
    expected = _expected_after(before)
    offered: Iterable[str] = ()
    if expected == 'field':
        offered = (name for name in fields(word) if name == _word_at_end(name))
    elif before[-1:].isspace():
        offered = _WORDS.get(expected, ())
    return [before + name for name in offered if name.startswith(word)]


def _word_at_end(text: str) -> str:
    begun = _WORD_AT_END.search(text)
    return begun[0] if begun else ''


def _expected_after(text: str) -> str:
    """What has to follow a text: a `field`, an `operator`, one that is `denied`, a `value`, a `junction` …"""
    expected = 'field'
    for kind, token, _ in tokens_of(text):
        word = token.lower() if kind == 'word' else ''
        if expected == 'field' and token != '(' and word != 'not':
            expected = 'operator'
        elif expected in ('operator', 'denied'):
            expected = 'denied' if word == 'not' else 'value'
        elif expected == 'value':
            expected = 'list' if token == '[' else 'junction'
        elif expected == 'list' and token == ']':
            expected = 'junction'
        elif expected == 'junction' and token != ')':
            expected = 'field'
    return expected
