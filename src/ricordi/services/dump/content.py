"""What the folder of a process holds: its metadata as YAML, and which content of the repository lies where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import ComputerRow, EntityKind, NodeRow, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage
from ricordi.model.file_trees import fault_of, is_empty
from ricordi.model.node_types import CALCULATION, has_ended_well
from ricordi.model.values import UNREADABLE, DamagedJson, is_damaged
from ricordi.orm.nodes.repository_tree import FileTree
from ricordi.services.dump.names import DRAFT, OWN, safe_name

REPOSITORY, RETRIEVED, INPUTS, OUTPUTS = 'inputs', 'outputs', 'node_inputs', 'node_outputs'

_NODE = ('label', 'description', 'pk', 'uuid', 'ctime', 'mtime', 'node_type', 'process_type')
_USER = ('first_name', 'last_name', 'email', 'institution')
_COMPUTER = ('label', 'hostname', 'scheduler_type', 'transport_type')


@dataclass(frozen=True, slots=True)
class Shape:
    """The options that shape the folder of a process.

    :param inputs: with the files of the data that a calculation used.
    :param outputs: that it created.
    :param flat: all files directly in the folder of the process, not in folders by their origin.
    """

    inputs: bool = True
    outputs: bool = False
    attributes: bool = True
    extras: bool = False
    flat: bool = False

    def __str__(self) -> str:
        """Short text that is equal for equal shapes."""
        return ''.join(letter for letter, on in zip('ioaxf', self._switches(), strict=True) if on) or '-'

    def _switches(self) -> tuple[bool, ...]:
        return self.inputs, self.outputs, self.attributes, self.extras, self.flat


@dataclass(slots=True)
class ProcessContent:
    """What the folder of a process holds.

    :param metadata: content of the YAML file.
    :param files: path in the folder → key of the content; of a folder, which ends with a slash, nothing.
    :param problems: which file trees are damaged, in words; of these there is what can be told.
    """

    metadata: bytes
    files: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add_tree(self, base: str, repository_metadata: Mapping[str, Any]) -> None:
        """Lay the files of a node below `base` (empty: into the folder itself); later ones take the place of earlier.

        Names of an archive may be anything: they are made safe, and one that is taken by something else gets a `_`.
        """
        tree = FileTree(dict(repository_metadata))
        above = f'{base}/' if base else ''
        for folder, _, _ in tree.walk():
            steps = '/'.join(map(safe_name, folder.parts))
            path = above + (f'{steps}/' if steps else '')
            if path:
                self.files[self._free(path)] = ''
        for name, key in tree.files():
            self.files[self._free(above + '/'.join(map(safe_name, name.split('/'))))] = key

    def _free(self, path: str) -> str:
        """The path, or one like it where a file would lie in the place of a folder or the other way round."""
        *folders, name = path.rstrip('/').split('/')
        end = '/' if path.endswith('/') else ''
        above = ''
        for step in folders:
            while above + step in self.files:
                step += '_'
            above += f'{step}/'
        while self._is_taken(above + name, end):
            name += '_'
        return above + name + end

    def _is_taken(self, path: str, end: str) -> bool:
        if path in OWN or path.rpartition('/')[2] == DRAFT:
            return True
        return path in self.files if end else f'{path}/' in self.files


class ContentLoader:
    """Loads what the folders of processes hold, for many at a time."""

    def __init__(self, storage: StorageBackend, shape: Shape) -> None:
        self._storage = storage
        self._shape = shape
        self._users = {row.pk: row for row in storage.find(UserRow)}
        self._computers: dict[int | None, ComputerRow] = {row.pk: row for row in storage.find(ComputerRow)}

    def load(self, pks: Sequence[int]) -> dict[int, ProcessContent]:
        """The content of the folder of each process; one that was deleted meanwhile is left out."""
        found: dict[int, ProcessContent] = {}
        calculations = []
        for row in self._storage.find(NodeRow, {'pk': list(pks)}):
            found[row.pk] = ProcessContent(self._metadata(row))
            if row.node_type.startswith(CALCULATION):
                _lay(found[row.pk], self._base(REPOSITORY), _Tree(row.pk, row.repository_metadata))
                calculations.append(row.pk)
        if calculations:
            self._add_linked(found, calculations)
        return found

    def _add_linked(self, found: dict[int, ProcessContent], pks: Sequence[int]) -> None:
        """Add what calculations retrieved, then their inputs, then what else they created."""
        created = self._linked(pks, 'create', True, None if self._shape.outputs else 'retrieved')
        for pk, label, tree in created:
            if label == 'retrieved':
                _lay(found[pk], self._base(RETRIEVED), tree)
        if self._shape.inputs:
            for pk, label, tree in self._linked(pks, 'input_calc', forward=False):
                self._add_data(found[pk], INPUTS, label, tree)
        for pk, label, tree in created:
            if label != 'retrieved':
                self._add_data(found[pk], OUTPUTS, label, tree)

    def _add_data(self, content: ProcessContent, base: str, label: str, tree: _Tree) -> None:
        if not tree.is_empty:
            steps = '/'.join(map(safe_name, label.split('__')))
            _lay(content, '' if self._shape.flat else f'{base}/{steps}', tree)

    def _base(self, name: str) -> str:
        return '' if self._shape.flat else name

    def _linked(
        self, pks: Sequence[int], link_type: str, forward: bool, label: str | None = None
    ) -> list[tuple[int, str, _Tree]]:
        """Pk, label of the link and file tree of the node at its other end, in the order the links were made."""
        link: Any = Comparison(Field('type'), '==', link_type)
        only = () if label is None else (('link', Comparison(Field('label'), '==', label)),)
        query = Query(
            (Vertex('node', EntityKind.NODE), Vertex('other', EntityKind.NODE)),
            (Edge('link', 'node', 'other', EdgeKind.LINK, forward),),
            (('node', Comparison(Field('pk'), 'in', tuple(pks))), ('link', link), *only),
            (
                Projection('node', Field('pk')),
                Projection('link', Field('label')),
                Projection('other', Field('pk')),
                Projection('other', Field('repository_metadata')),
            ),
            (Ordering('link', Field('pk')),),
        )
        return [(pk, name, _Tree(other, tree)) for pk, name, other, tree in self._storage.query_rows(query)]

    # -- metadata -------------------------------------------------------------------------------------------

    def _metadata(self, row: NodeRow) -> bytes:
        """The properties of a node as YAML, with the headings that verdi gives them."""
        import yaml

        told: dict[str, Any] = {name: _shown(getattr(row, name)) for name in _NODE}
        attributes, extras = _shown(row.attributes), _shown(row.extras)
        known = attributes if isinstance(attributes, dict) else {}
        told['is_finished_ok'] = has_ended_well(known.get('process_state'), known.get('exit_status'))
        document: dict[str, Any] = {'Node data': told}
        user = self._users.get(row.user_pk)
        if user is not None:
            document['User data'] = {name: _shown(getattr(user, name)) for name in _USER}
        computer = self._computers.get(row.computer_pk)
        if computer is not None:
            document['Computer data'] = {name: _shown(getattr(computer, name)) for name in _COMPUTER}
        if self._shape.attributes and attributes:
            document['Node attributes'] = attributes
        if self._shape.extras and extras:
            document['Node extras'] = extras
        text: bytes = yaml.dump(
            document,
            Dumper=getattr(yaml, 'CSafeDumper', yaml.SafeDumper),
            sort_keys=False,
            default_flow_style=False,
            indent=2,
            width=100,
            allow_unicode=True,
            explicit_start=True,
            encoding='utf-8',
        )
        return text


def _shown(value: Any) -> Any:
    """A value as it is written: of one that cannot be read, that it is damaged and why."""
    return str(value) if is_damaged(value) else value


@dataclass(frozen=True, slots=True)
class _Tree:
    """A file tree as it came from the database.

    :param pk: the node that it belongs to.
    """

    pk: int
    value: Any

    @property
    def is_empty(self) -> bool:
        return self.value is None or (not is_damaged(self.value) and is_empty(self.value))

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in words."""
        if isinstance(self.value, DamagedJson):
            return self.value.reason
        if is_damaged(self.value):
            return str(self.value)
        return None if self.is_empty else fault_of(self.value)


def _lay(content: ProcessContent, base: str, tree: _Tree) -> None:
    """Add the files of a node; where its file tree is damaged, what can be told of them, and that it is."""
    fault = tree.fault
    if fault is not None:
        content.problems.append(f'the file tree of node {tree.pk} is damaged ({fault})')
    if tree.value is None or is_damaged(tree.value):
        return
    try:
        content.add_tree(base, tree.value)
    except (CorruptStorage, NotADirectoryError, *UNREADABLE):
        if fault is None:
            raise
