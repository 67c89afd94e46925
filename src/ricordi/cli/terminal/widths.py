"""How many columns of a terminal a text takes, and how it is made to take fewer: shortened, or in several lines.

Nothing is imported here for plain text: the help of the program is wrapped here too.
"""

from __future__ import annotations

NARROW = dict.fromkeys(map(ord, '♻✔⏹⏵⏸⨯☠·│├└─…→'))
"""Signs of our own, each one column wide: for them alone `wcwidth` need not be loaded."""

_JOINTS = '/,;&=|.:_-'
"""After these a word may be taken apart that is longer than a line: after a folder of a path, after a comma."""

_FOLDER = '/'
"""After this one a word may be taken apart before a table is given up."""

_LOOKED_AT = 500
"""Characters of a text in which its longest word is looked for."""


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: two for wide characters, none for combining ones."""
    if text.isascii() or text.translate(NARROW).isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def shortened(text: str, room: int, keeps_end: bool = False) -> str:
    """A text in at most `room` columns, an ellipsis in place of what is left out.

    :param keeps_end: its end tells more than its beginning; of what dots part, parts are left whole.
    """
    if display_width(text) <= room:
        return text
    if room <= 1:
        return '…'
    kept = text[-room + 1 :] if keeps_end else text[: room - 1]
    while display_width(kept) >= room:
        kept = kept[1:] if keeps_end else kept[:-1]
    if not keeps_end:
        return f'{kept}…'
    _, _, whole = kept.partition('.')
    starts_with_part = text.removesuffix(kept).endswith('.')
    return f'…{kept if starts_with_part or not whole else whole}'


def wrapped(text: str, room: int, hanging: str = '') -> list[str]:
    """A text as lines of at most `room` columns, broken between words; what its lines begin with is kept.

    A word that is longer than a line is taken apart after a folder of a path or after a comma, else where the line
    ends: nothing is left out.

    :param hanging: what the second line of each line begins with, beside the blanks of the first.
    """
    lines: list[str] = []
    for line in text.split('\n'):
        lines += [line] if display_width(line) <= room else _broken(line, room, hanging)
    return lines


def longest_word(text: str) -> int:
    """The columns of the longest part of a text that must not be broken."""
    return max(
        (display_width(part) for word in text[:_LOOKED_AT].split() for part in _joined_parts(word, _FOLDER)), default=0
    )


def _broken(line: str, room: int, hanging: str) -> list[str]:
    """A line that is too long, in several."""
    indent = line[: len(line) - len(line.lstrip(' '))]
    indent = indent if len(indent) < room // 2 else ''
    following = indent + hanging if len(indent + hanging) < room // 2 else indent
    lines, current = [], indent
    for word in _words(line, room - len(following)):
        if current.strip() and display_width(current) + 1 + display_width(word) <= room:
            current += f' {word}'
            continue
        if current.strip():
            lines.append(current)
            current = following
        *whole, last = _parts(word, room - len(following))
        for part in whole:
            lines.append(current + part)
            current = following
        current += last
    return [*lines, current]


def _words(line: str, room: int) -> list[str]:
    """What stays together where that is possible: words, and commands between backticks."""
    found: list[str] = []
    opened = False
    for word in line.split():
        if opened and display_width(found[-1]) + 1 + display_width(word) <= room:
            found[-1] += f' {word}'
        else:
            found.append(word)
        opened ^= word.count('`') % 2 == 1
    return found


def _parts(word: str, room: int) -> list[str]:
    """A word in parts, each of which fits on a line."""
    if display_width(word) <= room:
        return [word]
    parts = ['']
    for piece in _joined_parts(word):
        if parts[-1] and display_width(parts[-1] + piece) > room:
            parts.append('')
        for letter in piece:
            if display_width(parts[-1] + letter) > room:
                parts.append('')
            parts[-1] += letter
    return parts


def _joined_parts(word: str, joints: str = _JOINTS) -> list[str]:
    """A word, taken apart after each character after which that may be."""
    parts = ['']
    for letter, following in zip(word, [*word[1:], ''], strict=True):
        parts[-1] += letter
        if letter in joints and following and following not in joints:
            parts.append('')
    return parts
