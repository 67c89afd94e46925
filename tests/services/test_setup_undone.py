"""A setup that fails takes back what it has made, and nothing that others have begun to use meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.access import ProfileAccessManager
from ricordi.backend.rows import EntityKind
from ricordi.config import Profile, load_config
from ricordi.manager import storage_class, use_storage
from ricordi.services.person import Person
from ricordi.services.profiles.setup import Request, create_profile


def request(folder: Path, finish: Callable[[], None]) -> Request:
    """A profile in a folder, whose setup fails as its last but one step."""

    def failing() -> None:
        finish()
        raise RuntimeError('the last but one step failed')

    return Request('made', 'core.sqlite_dos', {'filepath': str(folder)}, Person('me@example.org'), finish=failing)


def test_what_a_failed_setup_has_made_goes(empty_home: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        create_profile(request(tmp_path / 'storage', lambda: None))
    assert not (tmp_path / 'storage').exists()
    assert load_config().profile_names == []


def test_a_storage_in_which_another_profile_has_nodes_by_then_stays_and_its_lock_is_asked_for(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    folder = tmp_path / 'storage'
    lock = ProfileAccessManager.lock

    def noted(self: ProfileAccessManager, *words: object, **named: object) -> object:
        asked.append(str(named.get('purpose')))
        return lock(self, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ProfileAccessManager, 'lock', noted)
    other = Profile('other', {'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder)}}})

    def use() -> None:
        with use_storage(other) as storage:
            storage.insert(EntityKind.NODE, [{'node_type': 'data.core.int.Int.', 'user_pk': 1}])

    with pytest.raises(RuntimeError):
        create_profile(request(folder, use))
    assert 'profile setup' in asked
    assert storage_class(other).count_nodes(other) == 1
