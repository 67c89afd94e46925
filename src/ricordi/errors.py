"""Every error Ricordi raises on purpose: a message that says what to do, and the exit code of the command line.

Names that AiiDA users catch (`NotExistent`, `ModificationNotAllowed`, …) are kept. The exit codes:
1 failed · 2 wrong usage · 3 storage unreachable or corrupt · 4 schema needs migration · 5 profile locked or in use ·
6 problems found · 7 interrupted, out of time or out of room, state clean, more to do.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `ricordi --help` does without the module `typing`
if TYPE_CHECKING:
    from ricordi.remedies import Remedy


class RicordiError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with when nobody handles the error."""

    exit_code = 1

    def __init__(self, *args: object, remedy: Remedy | None = None) -> None:
        """
        :param args: a message that makes sense wherever the error is met, in a script too.
        :param remedy: what can be done about it.
        """
        super().__init__(*args)
        self.remedy = remedy


# wrong usage -----------------------------------------------------------------------------------------------


class UsageError(RicordiError):
    """The caller asked for something that cannot be meant: wrong argument, missing flag."""

    exit_code = 2


class QueryError(UsageError, ValueError):
    """A query names something that is not there, or asks what cannot be meant."""


class QueryTypeError(QueryError, TypeError):
    """A part of a query has the wrong Python type."""


class OutputError(RicordiError):
    """The result cannot be written to where it should go."""


class UnwritableFile(UsageError, OutputError, OSError):
    """A file that was named for a result cannot be made there. The message names it."""


class ConfigurationError(RicordiError):
    """The configuration folder or file cannot be used as it is."""


class MissingConfigurationError(ConfigurationError):
    """There is no configuration folder or file."""


class DamagedConfiguration(ConfigurationError):
    """The configuration file is there, and holds what no configuration is: no JSON, or JSON of another shape."""

    exit_code = 3


class UnrecordableUse(ConfigurationError):
    """Who uses a profile cannot be recorded: nothing may be written, lest the writer be taken for absent."""


class AccessWarning(UserWarning):
    """Something about the use of a profile that a person should know, though it goes on."""


class HeldBack(AccessWarning):
    """Another process waits for the profile to be its own, and is let in first, for a moment."""


class WaitingForOthers(AccessWarning):
    """What was asked for waits until others have left a profile; tells for how long at most, and for whom."""


class UnrecordedUse(AccessWarning):
    """A profile is read although its use cannot be recorded: nobody who wants it alone will know of the reader."""


class SlowAnswer(UserWarning):
    """An object store does not answer; tells for how long it is tried."""


class FutureSnapshot(UserWarning):
    """The last snapshot by its time may not be the last that was made: its time is yet to come."""


class StoppedWorker(UserWarning):
    """A process that did a part of the work was stopped; the work is done without it."""


class ConfigurationVersionError(ConfigurationError):
    """The configuration file has a version that this program cannot read."""


class ProfileConfigurationError(ConfigurationError):
    """A profile does not exist, has no valid name or lacks a required key."""


# the graph -------------------------------------------------------------------------------------------------


class ValidationError(RicordiError, ValueError):
    """A value breaks a rule of the provenance graph or of the format."""


class WrongValue(UsageError, ValidationError):
    """A value that was given can never be meant, whatever the storage holds: an empty label, no email address."""


class WrongType(WrongValue, TypeError):
    """A value has the wrong Python type: a number where a user is needed."""


class WrongOptionValue(WrongValue, ConfigurationError):
    """A value can never be that of an option of the configuration."""


class NotExistent(RicordiError):
    """What was asked for is not in the storage."""


class NotExistentAttributeError(NotExistent, AttributeError):
    """An entity has no such attribute."""


class NotExistentKeyError(NotExistent, KeyError):
    """An entity has no such key."""

    __str__ = Exception.__str__


class MissingObject(NotExistent, FileNotFoundError):
    """The repository has no object of that key."""


class MultipleObjectsError(RicordiError):
    """More than one entity fits where one was expected."""


class ModificationNotAllowed(RicordiError):
    """What is stored or sealed cannot be changed."""


class StoringNotAllowed(RicordiError):
    """This entity cannot be stored as it is."""


class IntegrityError(RicordiError):
    """The database refused a change because it would break a constraint."""


class UniquenessError(IntegrityError):
    """A second entity with the same unique value."""


class GoneObject(IntegrityError):
    """An object that a new node names is not in the repository any more: put its content anew, and store it again."""


class InvalidOperation(RicordiError):
    """The operation makes no sense in this state."""


class StorageExists(InvalidOperation):
    """There is a storage already where one was to be created."""


class ForeignRepository(InvalidOperation):
    """The objects are, or may be, those of another database; a person has to say that they are to be this one's."""


class StillInUse(InvalidOperation, IntegrityError):
    """What should be deleted is what others in the storage still name: a computer that has nodes."""


class OnlyRead(InvalidOperation, NotImplementedError):
    """Nodes of this type can be read, not made: AiiDA or a plug-in makes them."""


class UnreachableComputer(RicordiError):
    """A computer does not answer, does not let us in, or is reached in a way that this program does not know."""


class UnreachableAddress(RicordiError):
    """A web address does not yield what it should."""


class EntryPointError(RicordiError):
    """An entry point cannot be loaded."""


class MissingEntryPointError(EntryPointError):
    """No entry point of that name is installed."""


class UntrustedModule(RicordiError, ImportError):
    """A node names a module that is not imported, and nobody has said that it may be."""


# storage ---------------------------------------------------------------------------------------------------


class StorageError(RicordiError):
    """Something about a storage as a whole."""

    exit_code = 3


class UnreachableStorage(StorageError):
    """The storage is not there, or does not let us in."""


class NoStorage(UnreachableStorage):
    """There is nothing yet where a storage should be."""


class CorruptStorage(StorageError):
    """The storage contradicts itself."""


class LostObject(CorruptStorage):
    """The file that held an object is gone, such as its pack; the rest of the storage can be used."""

    exit_code = 6


class ClosedStorage(StorageError):
    """The storage was closed before this use."""


class NoBackupRepository(StorageError):
    """A place holds no backup repository, or one that this program cannot use."""


class ReadOnlyStorage(StorageError):
    """This storage can only be read."""

    exit_code = 1


class UnwritableStorage(ReadOnlyStorage):
    """A storage that can be written refuses it, to this user or now: no permission, a read-only disk, a standby."""

    exit_code = 3


class NotEnoughSpace(StorageError):
    """The disk has not the room that the work needs; nothing was written.

    `report` is that of a maintenance which found no step that fits, else None.
    """

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class IncompatibleStorageSchema(StorageError):
    """The schema of the storage is not the one this program works on."""

    exit_code = 4


class StorageMigrationError(StorageError):
    """The storage cannot be migrated from here."""

    exit_code = 4


class ProblemsFound(RicordiError):
    """Objects are missing or damaged. Nothing that could still be used was removed."""

    exit_code = 6


# access ----------------------------------------------------------------------------------------------------


class AccessError(RicordiError):
    """The profile cannot be had now; trying later may help."""

    exit_code = 5


class LockedProfileError(AccessError):
    """The profile is locked by another process."""


class LockingProfileError(AccessError):
    """The profile cannot be locked, for others use it."""


class GivingWay(AccessError):
    """The profile could be had, but another process has waited for it to be its own, and goes first."""


class PackerBusy(AccessError):
    """Another process packs or repacks this container."""


class BusyBackupRepository(AccessError):
    """Others make snapshots in a backup repository, or read or remove some."""


# ending early ----------------------------------------------------------------------------------------------

ended_by: list[int] = []
"""The signals that were to end this process by an exception; it may have been swallowed, and look like an error."""


class Interrupted(RicordiError):
    """Stopped between two steps by a signal, a time budget, a full disk: the state is clean, more is to be done."""

    exit_code = 7
