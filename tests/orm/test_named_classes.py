"""What a stranger's node names is not run: modules, functions and classes that are none of the kind that is meant."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import UntrustedModule
from ricordi.orm import named_classes


class Fruit(enum.Enum):
    """What EnumData wraps."""

    APPLE = 1


class Thing:
    """What JsonableData wraps."""

    def as_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Thing:
        raise AssertionError('it was called')


class Exploded(AssertionError):
    """Something was called that a node had named."""


def explode(*arguments: object) -> None:
    raise Exploded


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `trap_of_test` that leaves a file when it is imported."""
    (tmp_path / 'trap_of_test.py').write_text(
        f'import enum, pathlib\npathlib.Path({str(tmp_path / "sprung")!r}).touch()\n'
        'class E(enum.Enum):\n    A = 1\n'
        'class J:\n    def as_dict(self): return {}\n'
        '    @classmethod\n    def from_dict(cls, values): return cls()\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(named_classes, '_trusted', set())
    monkeypatch.delitem(sys.modules, 'trap_of_test', raising=False)
    return tmp_path / 'sprung'


def an_enum(identifier: str, value: object = 1) -> orm.EnumData:
    node = orm.EnumData(Fruit.APPLE)
    node.row.attributes.update(identifier=identifier, value=value)
    return node


def an_object(module: str, name: str) -> orm.JsonableData:
    node = orm.JsonableData(Thing())
    node.row.attributes.update({'@module': module, '@class': name})
    node._obj = None
    return node


@pytest.mark.parametrize(
    'identifier',
    [
        'os:system',
        'builtins:eval',
        'enum:Enum',
        'subprocess:Popen',
        'sys:exit',
        'no colon',
        ':',
        '',
        'os:',
        'os:path.join',
    ],
)
def test_only_an_enum_is_called_as_one(sqlite_storage: Any, tmp_path: Path, identifier: str) -> None:
    proof = tmp_path / 'proof'
    node = an_enum(identifier, f'touch {proof}')
    with pytest.raises(ImportError):
        node.member  # noqa: B018
    assert node != Fruit.APPLE
    assert not proof.exists()


@pytest.mark.parametrize(
    ('module', 'name'), [('os', 'system'), ('builtins', 'exec'), ('subprocess', 'Popen'), ('sys', 'modules'), ('', '')]
)
def test_only_a_class_with_both_methods_makes_an_object(sqlite_storage: Any, module: str, name: str) -> None:
    with pytest.raises(ImportError):
        an_object(module, name).obj  # noqa: B018


def test_the_lazy_attributes_of_a_module_are_not_asked_for(
    sqlite_storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules['enum'], '__getattr__', explode, raising=False)
    with pytest.raises(ImportError):
        an_enum('enum:NoSuch').get_enum()


def test_a_module_is_imported_only_by_leave_of_the_user(sqlite_storage: Any, trap: Path) -> None:
    job = orm.CalcJobNode(process_type='trap_of_test.E')
    for ask in (
        lambda: an_enum('trap_of_test:E').member,
        lambda: an_object('trap_of_test', 'J').obj,
    ):
        with pytest.raises(UntrustedModule, match=r"trust_modules.'trap_of_test'"):
            ask()
    with pytest.raises(ValueError, match='trust_modules'):
        job.process_class  # noqa: B018
    assert not job.base.caching.is_valid_cache
    assert an_enum('trap_of_test:E') != Fruit.APPLE
    assert not trap.exists()
    orm.trust_modules('trap_of_test')
    assert an_enum('trap_of_test:E').member.name == 'A'
    assert type(an_object('trap_of_test', 'J').obj).__name__ == 'J'
    assert job.process_class.__name__ == 'E'
    assert trap.exists()


def test_a_package_that_is_trusted_stands_for_what_is_in_it_and_for_nothing_else(
    sqlite_storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_classes, '_trusted', {'xml.dom'})
    monkeypatch.delitem(sys.modules, 'xml.dom.minidom', raising=False)
    assert named_classes.find_named('xml.dom.minidom', 'Document').__name__ == 'Document'
    monkeypatch.delitem(sys.modules, 'xml.sax.saxutils', raising=False)
    with pytest.raises(UntrustedModule):
        named_classes.find_named('xml.sax.saxutils', 'XMLGenerator')


def test_entry_points_of_other_groups_are_not_loaded(sqlite_storage: Any) -> None:
    with pytest.raises(ValueError, match='no package with entry point'):
        orm.CalcJobNode(process_type='console_scripts:ricordi').process_class  # noqa: B018
