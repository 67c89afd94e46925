"""An archive comes into any storage that keeps the contract as it comes into those of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.opaque import opaque_storage
from ricordi.backend.rows import EntityKind as K
from ricordi.config import Profile
from ricordi.errors import CorruptStorage, ValidationError
from ricordi.manager import use_storage
from ricordi.services.archive import importing
from ricordi.services.archive.importing import ImportRequest, import_archive
from services.archive import test_import as test_archive_import
from services.archive.test_import import PLAIN, without_me
from services.archive.tools import REFERENCE, changed, everything, everything_in

OF_THIS_PACKAGE = {
    'test_texts_that_aiida_kept_longer_than_their_column_go_where_they_are_allowed_and_are_named_elsewhere',
    'test_an_archive_comes_into_an_empty_profile_as_it_is',
    'test_what_a_pack_that_is_gone_or_cut_had_is_put_anew',
    'test_while_another_process_packs_objects_become_loose',
    'test_nothing_is_imported_into_an_archive',
}
"""What is said of packs, of files of SQLite, and of what that keeps beyond the contract."""


@pytest.fixture(autouse=True)
def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import is given a storage of which it knows nothing but the contract."""

    @contextmanager
    def use_hidden(profile: Profile, **named: Any) -> Iterator[Any]:
        with use_storage(profile, **named) as storage:
            yield opaque_storage(storage)

    monkeypatch.setattr(importing, 'use_storage', use_hidden)


# All that is said of imports in the module of that name, said once more of a hidden storage.
globals().update(
    {
        name: test
        for name, test in vars(test_archive_import).items()
        if name.startswith('test_') and name not in OF_THIS_PACKAGE
    }
)


def test_an_archive_comes_into_any_storage_as_it_is(empty: Profile) -> None:
    done = import_archive(empty, REFERENCE, PLAIN)
    assert without_me(everything(empty)) == everything(REFERENCE)
    assert (done.new['node'], done.new['link'], done.objects) == (74, 88, 23)
    with use_storage(empty) as storage:
        assert storage.repository.get_info()['loose']['objects'] == 23, 'put one by one'


def test_it_comes_into_a_storage_that_keeps_objects_in_no_container(new_profile: Callable[..., Profile]) -> None:
    with use_storage(new_profile('core.sqlite_temp')) as inner:
        storage = opaque_storage(inner)
        storage.insert(K.USER, [{'email': 'me@example.org'}])
        import_archive(storage.profile, REFERENCE, PLAIN, storage=storage)
        assert without_me(everything_in(storage)) == everything(REFERENCE)


def test_what_it_could_not_keep_is_refused_before_anything_is_written(sqlite: Profile, tmp_path: Path) -> None:
    before = everything(sqlite)
    archive = changed(tmp_path / 'x.aiida', lambda db: db.execute('UPDATE db_dbnode SET label = ?', ('a' * 256,)))
    with pytest.raises(ValidationError, match=r"too long for the storage of profile 'empty'"):
        import_archive(sqlite, archive, ImportRequest())
    assert everything(sqlite) == before
    with use_storage(sqlite) as storage:
        assert [*storage.repository.list_objects()] == []


def test_an_object_that_is_not_what_its_key_says_is_refused_by_any_repository(sqlite: Profile) -> None:
    class Lying:
        key, size = hashlib.sha256(b'what was said').hexdigest(), 9

        def content(self, largest: int) -> bytes | None:
            return None

        def open(self) -> Any:
            import io

            return io.BytesIO(b'not that ')

        def expect(self, key: str) -> None:
            if key != self.key:
                raise CorruptStorage('it is another')

    with use_storage(sqlite) as storage:
        for repository in (storage.repository, opaque_storage(storage).repository):
            with pytest.raises(CorruptStorage, match='another'):
                repository.put_known_objects(lambda: [Lying()], lambda size: None)
            assert not repository.has_object(Lying.key)
