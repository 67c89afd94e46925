"""What the steps between versions work on: one record at a time, as it stands in the archive."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]
"""The fields of one row by the names they have in the archive."""


class LazyJson:
    """A JSON value that is parsed only if a step asks for it, and written anew only then."""

    __slots__ = ('_text', '_value', '_wanted')

    def __init__(self, text: str | None) -> None:
        self._text = text
        self._value: Any = None
        self._wanted = False

    @property
    def value(self) -> Any:
        """The value, to be changed in place."""
        if not self._wanted and self._text is not None:
            self._value, self._wanted = json.loads(self._text), True
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._value, self._wanted = value, True

    @property
    def dictionary(self) -> dict[str, Any]:
        """The value if it is a dictionary, else an empty one that is not part of it."""
        return self.value if isinstance(self.value, dict) else {}

    def text(self) -> str | None:
        """The value as JSON text; None where there is none."""
        return json.dumps(self._value) if self._wanted else self._text


@dataclass(slots=True)
class NodeRecord:
    """A node.

    :param attribute_dates: which attributes are times, in the nesting of the attributes; before 0.6.
    :param extra_dates: the same of extras.
    :param symbols: the content of its file `symbols.npy`, where there is a small one.
    :param removed_files: paths of files that a step has taken over into attributes.
    """

    fields: Fields
    attributes: LazyJson
    extras: LazyJson
    attribute_dates: LazyJson = field(default_factory=lambda: LazyJson(None))
    extra_dates: LazyJson = field(default_factory=lambda: LazyJson(None))
    symbols: bytes | None = None
    removed_files: list[str] = field(default_factory=list)

    @property
    def node_type(self) -> str:
        """Its type, as the current version of the record calls it; empty where there is none."""
        found = self.fields.get('node_type', '')
        return found if isinstance(found, str) else ''


@dataclass(slots=True)
class LinkRecord:
    """A link.

    :param source_before: the type of the node it comes from, as it stands in the archive.
    :param target_before: the same of the node it leads to.
    :param target: the current type of that.
    :param left_out: why a step has taken it away; empty while none has.
    """

    fields: Fields
    source_before: str
    target_before: str
    target: str
    left_out: str = ''


@dataclass(frozen=True, slots=True)
class Step:
    """What changed from one version to the next; each part takes one record and changes it in place."""

    after: str
    node: Callable[[NodeRecord], None] | None = None
    link: Callable[[LinkRecord], None] | None = None
    computer: Callable[[Fields], None] | None = None
    group: Callable[[Fields], None] | None = None
    log: Callable[[Fields], None] | None = None


def rename(fields: Fields, names: dict[str, str]) -> None:
    """Give values of a dictionary other names."""
    for old, new in names.items():
        if old in fields:
            fields[new] = fields.pop(old)


def replace(fields: Fields, name: str, values: dict[str, str]) -> None:
    """Put another value in the place of one that is known."""
    found = fields.get(name)
    if isinstance(found, str) and found in values:
        fields[name] = values[found]
