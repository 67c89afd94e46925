"""Any sequence of storing, linking, grouping and deleting leaves what a plain Python model says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from ricordi import orm
from ricordi.orm import LinkType

LABELS = st.sampled_from(['a', 'b', 'c'])


class Graph(RuleBasedStateMachine):
    """Nodes are told by their uuid; the model knows them all, stored or not."""

    nodes = Bundle('nodes')

    def __init__(self, storage: Any) -> None:
        super().__init__()
        self.storage = storage
        self.group = orm.Group('group', backend=self.storage).store()
        self.content: dict[str, Any] = {}
        self.links: set[tuple[str, str, str, str]] = set()
        self.stored: set[str] = set()
        self.extras: dict[str, dict[str, Any]] = {}
        self.members: list[str] = []
        self.deleted: set[str] = set()

    def teardown(self) -> None:
        self.storage.close()

    # -- rules ----------------------------------------------------------------------------------------------

    @rule(target=nodes, value=st.integers() | st.text(max_size=5), file=st.none() | st.binary(max_size=20))
    def make_data(self, value: Any, file: bytes | None) -> Any:
        node = orm.Dict({'value': value}, backend=self.storage)
        if file is not None:
            node.base.repository.put_object_from_bytes(file, 'sub/file')
        self.content[node.uuid] = (value, file)
        return node

    @rule(target=nodes)
    def make_calculation(self) -> Any:
        node = orm.CalculationNode(backend=self.storage)
        self.content[node.uuid] = (None, None)
        return node

    @rule(source=nodes, end=nodes, label=LABELS)
    def link(self, source: Any, end: Any, label: str) -> None:
        link_type = LinkType.INPUT_CALC if isinstance(source, orm.Data) else LinkType.CREATE
        allowed = self._may_link(source, end, link_type.value, label)
        if allowed is None:
            return
        try:
            end.base.links.add_incoming(source, link_type, label)
        except ValueError:
            assert not allowed
        else:
            assert allowed
            self.links.add((source.uuid, end.uuid, link_type.value, label))

    def _may_link(self, source: Any, target: Any, link_type: str, label: str) -> bool | None:
        if {source.uuid, target.uuid} & self.deleted:
            return None
        if source.uuid == target.uuid or isinstance(source, orm.Data) == isinstance(target, orm.Data):
            return False
        into = [one for one in self.links if one[1] == target.uuid and one[2] == link_type]
        if link_type == 'create':
            free = not into and not any(one[0] == source.uuid and one[2:] == ('create', label) for one in self.links)
        else:
            free = not any(one[3] == label for one in into) and target.uuid not in self.stored
        return free and source.uuid not in self._below(target.uuid)

    def _below(self, uuid: str) -> set[str]:
        found, todo = {uuid}, [uuid]
        while todo:
            here = todo.pop()
            for source, target, *_ in self.links:
                if source == here and target not in found:
                    found.add(target)
                    todo.append(target)
        return found

    @rule(node=nodes)
    def store_all(self, node: Any) -> None:
        if node.is_stored or node.uuid in self.deleted:
            return
        node.store_all()
        todo = [node.uuid]
        while todo:
            here = todo.pop()
            self.stored.add(here)
            todo += [source for source, target, *_ in self.links if target == here and source not in self.stored]

    @rule(node=nodes, key=LABELS, value=st.integers())
    def set_extra(self, node: Any, key: str, value: int) -> None:
        if node.uuid not in self.deleted:
            node.base.extras.set(key, value)
            self.extras.setdefault(node.uuid, {})[key] = value

    @rule(node=nodes)
    def add_to_group(self, node: Any) -> None:
        if node.uuid in self.stored and node.uuid not in self.deleted:
            self.group.add_nodes(node)
            if node.uuid not in self.members:
                self.members.append(node.uuid)

    @rule(node=nodes)
    def remove_from_group(self, node: Any) -> None:
        if node.uuid in self.stored and node.uuid not in self.deleted:
            self.group.remove_nodes(node)
            self.members = [uuid for uuid in self.members if uuid != node.uuid]

    @rule(node=nodes)
    def delete(self, node: Any) -> None:
        """Only what nothing that is not stored hangs on: the database does not know of drafts."""
        drafts = any(node.uuid in one[:2] and not set(one[:2]) <= self.stored for one in self.links)
        if node.uuid in self.stored and node.uuid not in self.deleted and not drafts:
            self.storage.delete_nodes_and_connections([node.pk])
            self.links = {one for one in self.links if node.uuid not in one[:2]}
            self.members = [uuid for uuid in self.members if uuid != node.uuid]
            self.deleted.add(node.uuid)

    @rule(target=nodes)
    def load_anew(self) -> Any:
        there = [uuid for uuid in self.content if uuid in self.stored - self.deleted]  # in the order of their making
        found = [orm.load_node(uuid, backend=self.storage) for uuid in there[:1]]
        drafts = any(found and found[0].uuid in one[:2] and not set(one[:2]) <= self.stored for one in self.links)
        return multiple(*([] if drafts else found))

    # -- what must hold -------------------------------------------------------------------------------------

    @invariant()
    def the_storage_holds_what_the_model_says(self) -> None:
        nodes = {node.uuid: node for node in orm.Node.get_collection(self.storage).all()}
        assert nodes.keys() == self.stored - self.deleted
        links = set()
        for uuid, node in nodes.items():
            value, file = self.content[uuid]
            assert node.base.attributes.get('value', None) == value
            assert node.base.extras.all == self.extras.get(uuid, {})
            files = node.base.repository.serialize_content()
            assert files == ({} if file is None else {'sub/file': file})
            for source, link_type, label in node.base.links.get_incoming():
                links.add((source.uuid, uuid, link_type.value, label))
        assert links == {one for one in self.links if set(one[:2]) <= self.stored}
        assert [node.uuid for node in self.group.nodes] == self.members


@pytest.mark.slow
def test_any_sequence_of_changes_leaves_what_the_model_says(new_storage: Any) -> None:
    run_state_machine_as_test(
        lambda: Graph(new_storage()),
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
