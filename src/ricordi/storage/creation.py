"""Creating the repository of a new storage, so that a creation that fails leaves none behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.errors import AccessError, ForeignRepository, InvalidOperation, UnreachableStorage
from ricordi.files import own_folder

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend

SETUP_SECONDS = 60.0
"""How long to wait for another process that sets a storage up in the same place."""


@contextmanager
def own_place(folder: Path, seconds: float = SETUP_SECONDS) -> Iterator[None]:
    """Have the folder of a new storage for this process, made if it is missing; if the block fails, it goes again.

    :param seconds: how long to wait for another process that is at work there.
    :raises ricordi.errors.AccessError: it did not end.
    :raises ricordi.errors.InvalidOperation: there is a file of that name.
    :raises ricordi.errors.UnreachableStorage: the folder cannot be made.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(own_folder(folder, seconds))
        except TimeoutError:
            raise AccessError(f'another process sets up a storage in {folder}; try again when it is done') from None
        except OSError as error:
            if folder.is_file():
                raise InvalidOperation(f'{folder} is a file; a storage needs a folder') from None
            raise UnreachableStorage(f'cannot create the folder {folder}: {error.strerror}') from error
        yield


@contextmanager
def new_repository(
    repository: RepositoryBackend, is_tied: Callable[[], bool] = lambda: False, identity: str = ''
) -> Iterator[str | None]:
    """Create the repository unless it is there; yields its uuid. If the block fails, what was created goes again.

    :param is_tied: whether there is a database by then that names it, though the block has failed: then it stays.
    :param identity: that of the database, where it is known before the database is made.
    :raises ricordi.errors.ForeignRepository: it is there, and holds objects or serves another database.
    """
    made = not repository.is_initialised
    if not made:
        _check_free(repository, identity)
        repository.complete()
    try:
        if made:
            repository.initialise()
        yield repository.uuid
    except BaseException:
        # A COMMIT of which the answer was lost counts all the same, and a database must not be without its repository.
        if made and repository.is_initialised and not is_tied() and not repository.holds_objects:
            repository.erase()
        raise


def _check_free(repository: RepositoryBackend, identity: str) -> None:
    """See that a new database may have a repository that was there before it."""
    if repository.given_over:
        return
    owner = repository.owner
    if owner is not None and owner.database != identity:
        raise ForeignRepository(f'the repository {repository.uuid} is that of another database, the {owner.place}')
    if repository.holds_objects:
        raise ForeignRepository(
            f'the repository {repository.uuid} holds objects already, which a database that is gone or lies elsewhere '
            'names; a new database names none, so that full maintenance would remove them all. Put that database back '
            'in its place, or choose another place'
        )
