"""The base of all process nodes."""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ricordi.backend.rows import JsonDict, LinkRow
from ricordi.errors import ValidationError
from ricordi.model.links import LinkType
from ricordi.orm.nodes.links import load_nodes
from ricordi.orm.processes.sealing import Sealable
from ricordi.orm.processes.states import ProcessState

if TYPE_CHECKING:
    from ricordi.orm.log_handler import NodeLoggerAdapter
    from ricordi.orm.nodes.caching import NodeCaching
    from ricordi.orm.nodes.links import NodeLinks

CALLS = (LinkType.CALL_CALC, LinkType.CALL_WORK)


class ExitCode(NamedTuple):
    """How a process ended: 0 is success."""

    status: int = 0
    message: str | None = None
    invalidates_cache: bool = False


class ProcessNode(Sealable, node_type='process.ProcessNode.'):
    """The record of a process: what it was, how it went, what it called. Also what an unknown process type loads as."""

    CHECKPOINT_KEY = 'checkpoints'
    EXCEPTION_KEY = 'exception'
    EXIT_MESSAGE_KEY = 'exit_message'
    EXIT_STATUS_KEY = 'exit_status'
    PROCESS_PAUSED_KEY = 'paused'
    PROCESS_LABEL_KEY = 'process_label'
    PROCESS_STATE_KEY = 'process_state'
    PROCESS_STATUS_KEY = 'process_status'
    METADATA_INPUTS_KEY = 'metadata_inputs'

    _unstorable_message = 'use CalculationNode, WorkflowNode or their subclasses'
    _hash_ignored_attributes: ClassVar[tuple[str, ...]] = ('metadata_inputs',)
    _updatable_attributes: ClassVar[tuple[str, ...]] = (
        'sealed',
        'paused',
        'checkpoints',
        'exception',
        'exit_message',
        'exit_status',
        'process_label',
        'process_state',
        'process_status',
    )
    _logger_adapter: NodeLoggerAdapter | None = None

    def _get(self, key: str, default: Any = None) -> Any:
        return self.base.attributes.get(key, default)

    def _set(self, key: str, value: Any) -> None:
        self.base.attributes.set(key, value)

    def _delete(self, key: str) -> None:
        if key in self.base.attributes:
            self.base.attributes.delete(key)

    @property
    def logger(self) -> Any:
        """A logger whose records are kept in the database, once the node is stored."""
        logger: logging.Logger = super().logger
        if not self.is_stored:
            return logger
        if self._logger_adapter is None:
            from ricordi.orm.log_handler import create_logger_adapter

            self._logger_adapter = create_logger_adapter(logger, self)
        return self._logger_adapter

    # -- what it was ----------------------------------------------------------------------------------------

    @property
    def process_label(self) -> str | None:
        """A short name of the process, often that of its class."""
        return self._get(self.PROCESS_LABEL_KEY)  # type: ignore[no-any-return]

    def set_process_label(self, label: str) -> None:
        """Set the short name of the process."""
        self._set(self.PROCESS_LABEL_KEY, label)

    def set_process_type(self, process_type_string: str) -> None:
        """Set what the node is a record of."""
        self.process_type = process_type_string

    @property
    def process_class(self) -> type:
        """The class or function that ran.

        :raises ValueError: it is not known, or cannot be imported here.
        """
        from ricordi.orm.processes.process_class import load_process_class

        cls: type = load_process_class(self)
        return cls

    def get_metadata_inputs(self) -> JsonDict | None:
        """The inputs that are no nodes."""
        return self._get(self.METADATA_INPUTS_KEY)  # type: ignore[no-any-return]

    def set_metadata_inputs(self, value: JsonDict) -> None:
        """Set the inputs that are no nodes; before the node is stored."""
        self._set(self.METADATA_INPUTS_KEY, value)

    # -- how it goes ----------------------------------------------------------------------------------------

    @property
    def process_state(self) -> ProcessState | None:
        """Where the process stands."""
        state = self.row.attributes.get(self.PROCESS_STATE_KEY)
        return None if state is None else ProcessState(state)

    def set_process_state(self, state: str | ProcessState | None) -> None:
        """Set where the process stands."""
        self._set(self.PROCESS_STATE_KEY, state.value if isinstance(state, enum.Enum) else state)

    @property
    def process_status(self) -> str | None:
        """What the process is doing, in words."""
        return self._get(self.PROCESS_STATUS_KEY)  # type: ignore[no-any-return]

    def set_process_status(self, status: str | None) -> None:
        """Set what the process is doing; None removes it."""
        if status is None:
            self._delete(self.PROCESS_STATUS_KEY)
        elif isinstance(status, str):
            self._set(self.PROCESS_STATUS_KEY, status)
        else:
            raise TypeError(f'process_status is a string, got {status!r}')

    @property
    def paused(self) -> bool:
        """Whether the process is paused."""
        return bool(self._get(self.PROCESS_PAUSED_KEY, False))

    def pause(self) -> None:
        """Mark the process as paused; this does not pause it."""
        self._set(self.PROCESS_PAUSED_KEY, True)

    def unpause(self) -> None:
        """Take the mark away."""
        self._delete(self.PROCESS_PAUSED_KEY)

    @property
    def checkpoint(self) -> str | None:
        """What the process needs to go on after an interruption."""
        return self._get(self.CHECKPOINT_KEY)  # type: ignore[no-any-return]

    def set_checkpoint(self, checkpoint: str) -> None:
        """Set what the process needs to go on."""
        self._set(self.CHECKPOINT_KEY, checkpoint)

    def delete_checkpoint(self) -> None:
        """Remove what the process needs to go on."""
        self._delete(self.CHECKPOINT_KEY)

    # -- how it ended ---------------------------------------------------------------------------------------

    @property
    def is_finished(self) -> bool:
        """Whether the process came to its end, with success or not."""
        return self.process_state is ProcessState.FINISHED

    @property
    def is_excepted(self) -> bool:
        """Whether an exception ended the process."""
        return self.process_state is ProcessState.EXCEPTED

    @property
    def is_killed(self) -> bool:
        """Whether the process was killed."""
        return self.process_state is ProcessState.KILLED

    @property
    def is_terminated(self) -> bool:
        """Whether the process is over: finished, excepted or killed."""
        return self.is_finished or self.is_excepted or self.is_killed

    @property
    def is_finished_ok(self) -> bool:
        """Whether the process finished with exit status 0."""
        return self.is_finished and self.exit_status == 0

    @property
    def is_failed(self) -> bool:
        """Whether the process finished with an exit status other than 0."""
        return self.is_finished and self.exit_status != 0

    @property
    def exit_status(self) -> int | None:
        """How the process ended: 0 is success."""
        return self._get(self.EXIT_STATUS_KEY)  # type: ignore[no-any-return]

    def set_exit_status(self, status: int | enum.Enum | None = None) -> None:
        """Set how the process ended; None means 0.

        :raises ValueError: it is no integer.
        """
        value = status.value if isinstance(status, enum.Enum) else 0 if status is None else status
        if not isinstance(value, int):
            raise ValidationError(f'exit_status is an integer, got {status!r}')
        self._set(self.EXIT_STATUS_KEY, value)

    @property
    def exit_message(self) -> str | None:
        """How the process ended, in words."""
        return self._get(self.EXIT_MESSAGE_KEY)  # type: ignore[no-any-return]

    def set_exit_message(self, message: str | None) -> None:
        """Set how the process ended, in words; nothing happens for None."""
        if message is not None:
            self._set_text(self.EXIT_MESSAGE_KEY, message)

    @property
    def exit_code(self) -> ExitCode | None:
        """Exit status and message; None unless both are known."""
        if self.exit_status is None or self.exit_message is None:
            return None
        return ExitCode(self.exit_status, self.exit_message)

    @property
    def exception(self) -> str | None:
        """The exception that ended the process; None if none did."""
        return self._get(self.EXCEPTION_KEY, '') if self.is_excepted else None

    def set_exception(self, exception: str) -> None:
        """Set the exception that ended the process."""
        self._set_text(self.EXCEPTION_KEY, exception)

    def _set_text(self, key: str, text: str) -> None:
        if not isinstance(text, str):
            raise ValidationError(f'{key} is a string, got {text!r}')
        self._set(key, text)

    # -- whom it called -------------------------------------------------------------------------------------

    @property
    def called(self) -> list[ProcessNode]:
        """The processes that this one called, in their order."""
        return self.base.links.get_outgoing(link_type=CALLS).all_nodes()  # type: ignore[return-value]

    @property
    def called_descendants(self) -> list[ProcessNode]:
        """The processes that this one called, each followed by those it called itself; two queries per level."""
        below: dict[int, list[int]] = {}
        nodes: dict[int, ProcessNode] = {}
        level = [self.pk] if self.pk is not None else []
        while level:
            equal = {'input_pk': level, 'type': [one.value for one in CALLS]}
            links = list(self.backend.find(LinkRow, equal))
            for link in links:
                below.setdefault(link.input_pk, []).append(link.output_pk)
            level = [link.output_pk for link in links if link.output_pk not in nodes]
            if level:
                nodes.update(load_nodes(self, level))  # type: ignore[arg-type]
        return [nodes[pk] for pk in _depth_first(below, self.pk)]

    @property
    def caller(self) -> ProcessNode | None:
        """The process that called this one; None if a user did."""
        link = self.base.links.get_incoming(link_type=CALLS).first()
        return link.node if link else None  # type: ignore[return-value]

    @classmethod
    def recursive_merge(cls, left: dict[Any, Any], right: dict[Any, Any]) -> None:
        """Put the items of `right` into `left`; where both hold a dictionary, item by item."""
        for key, value in right.items():
            if isinstance(value, dict) and isinstance(left.get(key), dict):
                cls.recursive_merge(left[key], value)
            else:
                left[key] = value

    @classmethod
    def _caching_class(cls) -> type[NodeCaching]:
        from ricordi.orm.processes.caching import ProcessNodeCaching

        return ProcessNodeCaching

    @classmethod
    def _links_class(cls) -> type[NodeLinks]:
        from ricordi.orm.processes.links import ProcessNodeLinks

        return ProcessNodeLinks

    def __str__(self) -> str:
        base = super().__str__()
        return f'{base} ({self.process_type})' if self.process_type else base


def _depth_first(below: dict[int, list[int]], start: int | None) -> list[int]:
    found: dict[int, None] = {}
    todo = list(reversed(below.get(start, []))) if start is not None else []
    while todo:
        pk = todo.pop()
        if pk not in found:
            found[pk] = None
            todo.extend(reversed(below.get(pk, [])))
    return list(found)
