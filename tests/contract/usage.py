"""What storages tell of what takes the space, compared with sums over what AiiDA reads in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ricordi.backend.maintenance import Amount
from ricordi.backend.rows import ComputerRow, EntityKind, GroupRow, NodeRow, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.backend.usage import Category, Dimension, Freed, Share, UsageQuestion
from ricordi.storage.usage.kinds import file_kind

K = EntityKind
D = Dimension


def files(tree: dict[str, Any], path: str = '') -> Iterator[tuple[str, str]]:
    """Path and key of each file."""
    for name, entry in tree.get('o', {}).items():
        if 'k' in entry:
            yield path + name, entry['k']
        yield from files(entry, f'{path}{name}/')


def tree_of(**keys: str) -> dict[str, Any]:
    """A file tree with a file of each name."""
    return {'o': {f'{name}.txt': {'k': key} for name, key in keys.items()}}


class UsageContract:
    """What every storage that can be written must tell."""

    @pytest.fixture
    def keys(self, storage: StorageBackend) -> dict[str, str]:
        """Objects of 10, 200 and 3,000 bytes."""
        put = storage.repository.put_object_from_bytes
        return {'a': put(b'a' * 10), 'b': put(b'b' * 200), 'c': put(b'c' * 3000)}

    def test_what_two_have_is_shared_and_what_one_has_is_freed(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str]
    ) -> None:
        first = add(repository_metadata=tree_of(x=keys['a'], y=keys['a'], z=keys['b']))
        second = add(repository_metadata=tree_of(x=keys['b'], y=keys['c']))
        usage = storage.usage(UsageQuestion(D.NODE, 10))
        assert usage.total == Share(None, 3, 3210, 3210, 0, 0, 2)
        assert usage.shares == (Share(second, 2, 3200, 3200, 1, 200, 1), Share(first, 2, 210, 210, 1, 200, 1))
        assert storage.freed_by([first]) == Freed(1, 10)
        assert storage.freed_by([second]) == Freed(1, 3000)
        assert storage.freed_by([first, second]) == Freed(3, 3210)
        assert storage.freed_by([]) == Freed(0, 0)

    def test_what_is_in_a_category_can_be_told_apart_by_its_files(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str]
    ) -> None:
        node = add(
            repository_metadata={'o': {'x.in': {'k': keys['a']}, 'y.out': {'k': keys['a']}, 'z.out': {'k': keys['b']}}}
        )
        usage = storage.usage(UsageQuestion(D.NODE, 10, within=D.FILE))
        assert usage.shares == (
            Share(node, 2, 210, 210, 0, 0, 1),
            Share(node, 2, 210, 210, 1, 10, None, '.out'),
            Share(node, 1, 10, 10, 1, 10, None, '.in'),
        )
        assert storage.usage(UsageQuestion(D.NODE, 10)).total == usage.total

    def test_of_files_what_another_file_has_is_shared(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str]
    ) -> None:
        add(repository_metadata={'o': {'x.in': {'k': keys['a']}, 'd': {'o': {'k': {'k': keys['a']}}}, 'o': {}}})
        add(repository_metadata={'o': {'o': {'o': {'k': {'o': {'y.in': {'k': keys['b']}}}}}}})
        usage = storage.usage(UsageQuestion(D.FILE, 10))
        assert usage.shares == (Share('.in', 2, 210, 210, 1, 10), Share('k', 1, 10, 10, 1, 10))
        narrow = storage.usage(UsageQuestion(D.TYPE, 10, ((D.FILE, 'k'),)))
        assert (narrow.total.stored_bytes, narrow.total.shared_bytes) == (10, 10)
        assert storage.usage(UsageQuestion(D.SIZE, 10)).shares == (Share(100, 1, 200, 200), Share(10, 1, 10, 10))
        large = storage.usage(UsageQuestion(D.FILE, 10, ((D.SIZE, 100),)))
        assert large.shares == (Share('.in', 1, 200, 200),)

    def test_a_node_in_two_groups_counts_in_both_and_once_in_all(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str], user: int
    ) -> None:
        both, one = add(repository_metadata=tree_of(x=keys['a'])), add(repository_metadata=tree_of(x=keys['b']))
        add(repository_metadata=tree_of(x=keys['b']))
        groups = storage.insert(K.GROUP, [{'label': label, 'user_pk': user} for label in 'pq'])
        storage.add_nodes_to_group(groups[0], [both, one])
        storage.add_nodes_to_group(groups[1], [both])
        usage = storage.usage(UsageQuestion(D.GROUP, 10))
        assert usage.total == Share(None, 2, 210, 210, 0, 0, 3)
        expected = {
            Share(groups[0], 2, 210, 210, 1, 200, 2),
            Share(groups[1], 1, 10, 10, 0, 0, 1),
            Share(None, 1, 200, 200, 1, 200, 1),
        }
        assert set(usage.shares) == expected
        inside = storage.usage(UsageQuestion(D.NODE, 10, ((D.GROUP, groups[0]),)))
        assert inside.total == Share(None, 2, 210, 210, 1, 200, 2)
        assert storage.usage(UsageQuestion(D.NODE, 10, ((D.GROUP, None),))).total.nodes == 1

    def test_several_questions_at_once_are_answered_as_one_by_one(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str], user: int, unguarded: None
    ) -> None:
        both = add(repository_metadata=tree_of(x=keys['a'], y=keys['a'], missing='f' * 64))
        add(repository_metadata=tree_of(x=keys['b']))
        add(node_type='data.core.other.Other.', repository_metadata=tree_of(x=keys['b'], z=keys['c']))
        for label in 'pq':
            (group,) = storage.insert(K.GROUP, [{'label': label, 'user_pk': user}])
            storage.add_nodes_to_group(group, [both])
        questions = [UsageQuestion(by, 10, within=D.FILE, files=number) for number, by in enumerate(D)]
        assert storage.usages(questions) == tuple(map(storage.usage, questions))
        assert [len(usage.files) for usage in storage.usages(questions[:4])] == [0, 1, 2, 3]

    def test_questions_about_different_nodes_are_not_mixed(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        chosen = ((D.NODE, (add(),)),)
        with pytest.raises(ValueError, match='one by one'):
            storage.usages((UsageQuestion(D.TYPE, 1), UsageQuestion(D.TYPE, 1, chosen)))

    def test_what_a_process_created_counts_as_its_own(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str]
    ) -> None:
        calculation = 'process.calculation.calcjob.CalcJobNode.'
        process = add(node_type=calculation, process_type='pw', repository_metadata=tree_of(x=keys['a']))
        result = add(repository_metadata=tree_of(x=keys['b']))
        add(repository_metadata=tree_of(x=keys['c']))
        storage.insert(K.LINK, [{'input_pk': process, 'output_pk': result, 'type': 'create', 'label': 'r'}])
        usage = storage.usage(UsageQuestion(D.PROCESS, 10))
        assert usage.shares == (Share(None, 1, 3000, 3000, 0, 0, 1), Share('pw', 2, 210, 210, 0, 0, 2))
        assert storage.usage(UsageQuestion(D.NODE, 10, ((D.PROCESS, 'pw'),))).share_count == 2
        assert storage.usage(UsageQuestion(D.NODE, 10, ((D.PROCESS, None),))).share_count == 1

    def test_what_nobody_names_and_what_is_missing_is_told(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str], unguarded: None
    ) -> None:
        add(repository_metadata=tree_of(x=keys['b'], y='0' * 64, z='f' * 64))
        usage = storage.usage(UsageQuestion(D.TYPE, 1, with_database=True))
        assert (usage.unnamed, usage.missing, usage.total.objects) == (Amount(2, 3010), 2, 1)
        assert usage.database is not None
        assert usage.database.bytes > 0
        assert usage.database.columns['repository_metadata'] > 100
        assert 'db_dbnode' in {table.name for table in usage.database.tables}

    def test_the_largest_files_come_with_their_nodes(
        self, storage: StorageBackend, add: Callable[..., Any], keys: dict[str, str]
    ) -> None:
        tree = {'o': {'folder': {'o': {'big': {'k': keys['c']}}}, 'x': {'k': keys['a']}}}
        pks = add(number=4, repository_metadata=tree)
        (largest,) = storage.usage(UsageQuestion(D.TYPE, 1)).files
        assert (largest.key, largest.stored_bytes, largest.content_bytes, largest.nodes) == (keys['c'], 3000, 3000, 4)
        assert [(place.pk, place.path) for place in largest.places] == [(pk, 'folder/big') for pk in pks[:3]]

    def test_of_an_empty_storage_there_is_nothing_to_tell(self, storage: StorageBackend) -> None:
        usage = storage.usage(UsageQuestion(D.MONTH, 5))
        assert (usage.total, usage.shares, usage.files) == (Share(nodes=0), (), ())


class ReferenceUsageContract:
    """What a storage with the reference data must tell: what comes out of what AiiDA reads."""

    @pytest.mark.parametrize('by', list(Dimension))
    def test_the_sums_are_those_over_what_aiida_reads(self, storage: StorageBackend, dump: Any, by: Dimension) -> None:
        usage = storage.usage(UsageQuestion(by, 1000))
        assert usage.share_count == len(usage.shares)
        assert usage.missing == 0
        sizes = {key: size for key, (_, size) in dump['objects'].items()}
        uses = list(expected_uses(storage, dump, by))
        assert {share.category for share in usage.shares if share.objects} == {category for *_, category in uses}
        for share in usage.shares:
            inside = {(node, path, key) for node, path, key, category in uses if category == share.category}
            objects = {key for *_, key in inside}
            others = {key for node, path, key, _ in uses if (node, path, key) not in inside}
            assert share.objects == len(objects)
            assert share.content_bytes == sum(sizes[key] for key in objects)
            assert share.shared_objects == len(objects & others)
        assert usage.total.objects == len({key for _, _, key, _ in uses})
        assert usage.total.content_bytes == sum(sizes.values())
        assert usage.total.nodes == len(dump['nodes'])
        stored = {one.key: one.stored for one in storage.repository.object_sizes()}
        assert usage.total.stored_bytes == sum(stored[key] for key in sizes)
        assert [*stored] == sorted(stored)

    def test_each_choice_tells_what_its_row_told(self, storage: StorageBackend) -> None:
        for by in Dimension:
            for share in storage.usage(UsageQuestion(by, 1000)).shares:
                category = (share.category,) if by is D.NODE else share.category
                total = storage.usage(UsageQuestion(D.TYPE, 1, ((by, category),))).total  # type: ignore[arg-type]
                told = share._replace(category=None, nodes=total.nodes if share.nodes is None else share.nodes)
                assert total == told, by


def expected_uses(storage: StorageBackend, dump: Any, by: Dimension) -> Iterator[tuple[str, str, str, Category]]:
    """Who names what by the dump: uuid of the node, path, key, and the category of it, several times for groups."""
    users = {row.email: row.pk for row in storage.find(UserRow)}
    computers = {row.uuid: row.pk for row in storage.find(ComputerRow)}
    groups = {row.uuid: row.pk for row in storage.find(GroupRow)}
    pks = {row.uuid: row.pk for row in storage.find(NodeRow)}
    nodes = {node['uuid']: node for node in dump['nodes']}
    user_of, computer_of = dict(dump['node_user']), dict(dump['node_computer'])
    creator_of = {target: source for source, target, kind, _ in dump['links'] if kind == 'create'}
    for uuid, node in nodes.items():
        creator = nodes.get(creator_of.get(uuid, ''), {})
        categories: dict[Dimension, list[Category]] = {
            D.TYPE: [node['node_type']],
            D.PROCESS: [node['process_type'] or creator.get('process_type') or None],
            D.GROUP: [groups[group] for group, member in dump['group_nodes'] if member == uuid] or [None],
            D.COMPUTER: [computers.get(computer_of.get(uuid, ''))],
            D.USER: [users[user_of[uuid]]],
            D.MONTH: [node['ctime'][:7]],
            D.NODE: [pks[uuid]],
        }
        for path, key in files(node['repository_metadata']):
            content = dump['objects'][key][1]
            of_file: dict[Dimension, list[Category]] = {
                D.FILE: [file_kind(path.rpartition('/')[2])],
                D.SIZE: [10 ** (len(str(content)) - 1) if content else 0],
            }
            for category in {**categories, **of_file}[by]:
                yield uuid, path, key, category
