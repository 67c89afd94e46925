"""Calculation jobs: calculations that ran on a computer, under its scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.backend.rows import JsonDict
from ricordi.errors import NotExistent, NotExistentAttributeError, NotExistentKeyError, ValidationError
from ricordi.orm.processes.calculation import CalculationNode
from ricordi.orm.processes.states import CalcJobState, JobState

if TYPE_CHECKING:
    from ricordi.orm.authinfos import AuthInfo
    from ricordi.orm.data.folder import FolderData

RetrieveList = Sequence[str | tuple[str, str, int | None]]

_JOB_ATTRIBUTES = (
    'state',
    'imported',
    'remote_workdir',
    'retrieve_list',
    'retrieve_temporary_list',
    'job_id',
    'scheduler_state',
    'scheduler_lastchecktime',
    'last_job_info',
    'detailed_job_info',
)


class CalcJobNode(CalculationNode, node_type='process.calculation.calcjob.CalcJobNode.'):
    """The record of a job that a scheduler ran on a computer."""

    _updatable_attributes: ClassVar[tuple[str, ...]] = (*CalculationNode._updatable_attributes, *_JOB_ATTRIBUTES)
    _hash_ignored_attributes: ClassVar[tuple[str, ...]] = (
        *CalculationNode._hash_ignored_attributes,
        'queue_name',
        'account',
        'qos',
        'priority',
        'max_wallclock_seconds',
        'max_memory_kb',
        'version',
    )

    @cached_property
    def tools(self) -> Any:
        """What the plug-in of this job offers for its nodes (entry point group `aiida.tools.calculations`)."""
        from ricordi.orm.processes.tools import CALCULATION_TOOLS, load_tools

        return load_tools(self, CALCULATION_TOOLS)

    @property
    def imported(self) -> bool | None:
        """Whether it was taken over from a run outside AiiDA."""
        return self._get('imported')  # type: ignore[no-any-return]

    @property
    def is_imported(self) -> bool:
        """Whether it was taken over from a run outside AiiDA."""
        return self.imported is True

    # -- options --------------------------------------------------------------------------------------------

    def get_option(self, name: str) -> Any:
        """An option of the job; None if it is not set."""
        return self._get(name)

    def set_option(self, name: str, value: Any) -> None:
        """Set an option of the job; before the node is stored."""
        self._set(name, value)

    def get_options(self) -> JsonDict:
        """All options of the job: attributes that are no state of the process or its job."""
        states = {*self._updatable_attributes, 'metadata_inputs', 'version'}
        return {key: value for key, value in self.base.attributes.items() if key not in states and value is not None}

    def set_options(self, options: JsonDict) -> None:
        """Set several options; before the node is stored."""
        self.base.attributes.set_many(options)

    # -- the job --------------------------------------------------------------------------------------------

    def get_state(self) -> CalcJobState | None:
        """What is being done for the job; None if nothing is."""
        try:
            return CalcJobState(self._get('state'))
        except ValueError:
            return None

    def set_state(self, state: CalcJobState) -> None:
        """Set what is being done for the job."""
        if not isinstance(state, CalcJobState):
            raise ValidationError(f'a CalcJobState is needed, got {state!r}')
        self._set('state', state.value)

    def delete_state(self) -> None:
        """Say that nothing is being done for the job."""
        self._delete('state')

    def get_remote_workdir(self) -> str | None:
        """The folder on the computer in which the job ran."""
        return self._get('remote_workdir')  # type: ignore[no-any-return]

    def set_remote_workdir(self, remote_workdir: str) -> None:
        """Set the folder on the computer."""
        self._set('remote_workdir', remote_workdir)

    def get_job_id(self) -> str | None:
        """The number by which the scheduler knows the job."""
        return self._get('job_id')  # type: ignore[no-any-return]

    def set_job_id(self, job_id: int | str) -> None:
        """Set the number by which the scheduler knows the job; kept as text."""
        self._set('job_id', str(job_id))

    def get_scheduler_state(self) -> JobState | None:
        """Where the job stands in the scheduler."""
        state = self._get('scheduler_state')
        return None if state is None else JobState(state.lower())

    def set_scheduler_state(self, state: JobState) -> None:
        """Set where the job stands in the scheduler, as of now."""
        if not isinstance(state, JobState):
            raise ValidationError(f'a JobState is needed, got {state!r}')
        now = datetime.now(UTC).isoformat()
        self.base.attributes.set_many({'scheduler_state': state.value, 'scheduler_lastchecktime': now})

    def get_scheduler_lastchecktime(self) -> datetime | None:
        """When the scheduler was last asked."""
        value = self._get('scheduler_lastchecktime')
        return None if value is None else datetime.fromisoformat(value)

    def get_last_job_info(self) -> JsonDict | None:
        """What the scheduler last told while the job was in it."""
        return self._get('last_job_info')  # type: ignore[no-any-return]

    def set_last_job_info(self, last_job_info: Any) -> None:
        """Set what the scheduler last told."""
        self._set('last_job_info', last_job_info.get_dict() if hasattr(last_job_info, 'get_dict') else last_job_info)

    def get_detailed_job_info(self) -> JsonDict | None:
        """What the scheduler told after the job was over."""
        return self._get('detailed_job_info')  # type: ignore[no-any-return]

    def set_detailed_job_info(self, detailed_job_info: JsonDict | None) -> None:
        """Set what the scheduler told after the job was over."""
        self._set('detailed_job_info', detailed_job_info)

    def get_authinfo(self) -> AuthInfo:
        """How the owner of the node reaches the computer.

        :raises ricordi.errors.NotExistent: the node has no computer, or it is not configured.
        """
        if self.computer is None:
            raise NotExistent(f'{self!r} is bound to no computer')
        return self.computer.get_authinfo(self.user)

    # -- what comes back ------------------------------------------------------------------------------------

    def get_retrieve_list(self) -> list[Any] | None:
        """The files to fetch from the computer."""
        return self._get('retrieve_list')  # type: ignore[no-any-return]

    def set_retrieve_list(self, retrieve_list: RetrieveList) -> None:
        """Set the files to fetch: paths, or triples of path there, path here, depth."""
        self._set_directives('retrieve_list', retrieve_list)

    def get_retrieve_temporary_list(self) -> list[Any] | None:
        """The files to fetch for the parser only."""
        return self._get('retrieve_temporary_list')  # type: ignore[no-any-return]

    def set_retrieve_temporary_list(self, retrieve_temporary_list: RetrieveList) -> None:
        """Set the files to fetch for the parser only."""
        self._set_directives('retrieve_temporary_list', retrieve_temporary_list)

    def _set_directives(self, key: str, directives: RetrieveList) -> None:
        if not isinstance(directives, list | tuple):
            raise TypeError(f'{key} is a list, got {directives!r}')
        for directive in directives:
            if not isinstance(directive, str) and not _is_triple(directive):
                raise ValidationError(f'{key} holds paths or triples (path there, path here, depth), got {directive!r}')
        self._set(key, directives)

    @property
    def link_label_retrieved(self) -> str:
        """The label of the link to what came back."""
        return 'retrieved'

    def get_retrieved_node(self) -> FolderData | None:
        """The folder with what came back; None if nothing did."""
        from ricordi.orm.data.folder import FolderData

        links = self.base.links.get_outgoing(node_class=FolderData, link_label_filter=self.link_label_retrieved)
        return links.all_nodes()[0] if len(links) == 1 else None  # type: ignore[return-value]

    def get_scheduler_stdout(self) -> str | None:
        """What the scheduler wrote to standard output; None if it did not come back."""
        return self._retrieved_text('scheduler_stdout')

    def get_scheduler_stderr(self) -> str | None:
        """What the scheduler wrote to standard error; None if it did not come back."""
        return self._retrieved_text('scheduler_stderr')

    def _retrieved_text(self, option: str) -> str | None:
        name, folder = self.get_option(option), self.get_retrieved_node()
        if name is None or folder is None or not folder.base.repository.has_object(name):
            return None
        return folder.base.repository.get_object_content(name)

    @property
    def res(self) -> CalcJobResults:
        """The parsed results: `node.res.energy`."""
        return CalcJobResults(self)

    def get_description(self) -> str:
        """What is being done for the job."""
        state = self.get_state()
        return state.value if state else ''


class CalcJobResults:
    """The items of the Dict that a job created as its results, by key and as attributes."""

    def __init__(self, node: CalcJobNode) -> None:
        self._node = node
        self._results: JsonDict | None = None

    def get_results(self) -> JsonDict:
        """All items.

        :raises ricordi.errors.NotExistent: the job created no such Dict.
        """
        if self._results is None:
            label = self._label()
            outputs = self._node.outputs
            if label not in outputs:
                raise NotExistent(f'{self._node!r} has no output {label!r}, where its results would be')
            self._results = outputs[label].get_dict()
        return self._results

    def _label(self) -> str:
        """The output that the process class names as default, if that class is installed."""
        try:
            spec = self._node.process_class.spec()  # type: ignore[attr-defined]
            return str(spec.default_output_node or 'output_parameters')
        except (ValueError, AttributeError):
            return 'output_parameters'

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)
        try:
            return self.get_results()[name]
        except (KeyError, NotExistent) as error:
            raise NotExistentAttributeError(f'{self._node!r} has no result {name!r}: {error}') from None

    def __getitem__(self, name: str) -> Any:
        try:
            return self.get_results()[name]
        except (KeyError, NotExistent) as error:
            raise NotExistentKeyError(f'{self._node!r} has no result {name!r}: {error}') from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.get_results())

    def __dir__(self) -> list[str]:
        return sorted(self.get_results())


def _is_triple(directive: Any) -> bool:
    return (
        isinstance(directive, list | tuple)
        and len(directive) == 3
        and isinstance(directive[0], str)
        and isinstance(directive[1], str)
        and isinstance(directive[2], int | None)
    )
