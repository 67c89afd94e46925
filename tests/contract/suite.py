"""The contract of a storage as tests: the test module of a backend derives from these classes and gives a `storage`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contract.queries import QueryContract, ReferenceQueryContract
from contract.usage import ReferenceUsageContract
from ricordi.backend.imports import ImportTarget
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import (
    ROW_TYPES,
    AuthInfoRow,
    CommentRow,
    ComputerRow,
    EntityKind,
    GroupNodeRow,
    GroupRow,
    JsonDict,
    LinkRow,
    LogRow,
    NodeRow,
    UserRow,
)
from ricordi.backend.storage import StorageBackend
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.errors import (
    ClosedStorage,
    IntegrityError,
    InvalidOperation,
    NotExistent,
    NotExistentKeyError,
    ReadOnlyStorage,
    UniquenessError,
    ValidationError,
)

K = EntityKind
CALCULATION = 'process.calculation.calcjob.CalcJobNode.'
DICT = 'data.core.dict.Dict.'
DUMP = Path(__file__).parents[1] / 'data' / 'reference.dump.json'


class StorageContract(QueryContract):
    """What every storage that can be written must do. A subclass has a fixture `storage`: new, empty, open."""

    @pytest.fixture
    def user(self, storage: StorageBackend) -> int:
        return storage.insert(K.USER, [{'email': 'alice@example.org', 'first_name': 'Alice'}])[0]

    @pytest.fixture
    def add(self, storage: StorageBackend, user: int) -> Callable[..., Any]:
        """Inserts one node and returns its pk: `add(label='x')`; `add(number=3)` for several."""

        def insert(number: int | None = None, **fields: Any) -> Any:
            row = {'user_pk': user, 'node_type': DICT, **fields}
            pks = storage.insert(K.NODE, [row] * (number or 1))
            return pks if number else pks[0]

        return insert

    @pytest.fixture
    def unguarded(self, storage: StorageBackend) -> None:
        """Nodes may name what is not there: a storage that keeps them from it says in its own how that comes all the
        same, as where it was put back from a dump."""

    # -- inserting and getting --------------------------------------------------------------------------------

    def test_a_row_comes_back_as_it_was_inserted(self, storage: StorageBackend, user: int, unguarded: None) -> None:
        computer = storage.insert(K.COMPUTER, [{'label': 'here', 'hostname': 'localhost', 'metadata': {'a': [1]}}])[0]
        moment = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=-7)))
        values = {
            'uuid': str(uuid4()),
            'node_type': CALCULATION,
            'process_type': 'aiida.calculations:core.arithmetic.add',
            'label': 'ünï "code" \\ \' %',
            'description': 'line\nline\ttab',
            'ctime': moment,
            'mtime': moment + timedelta(microseconds=1),
            'attributes': {'list': [1, 2.5, None, True, {'deep': ['x']}], 'ü': '\U0001f600'},
            'extras': {'a.b': {'': 1}},
            'repository_metadata': {'o': {'file.txt': {'k': 'a' * 64}}},
            'computer_pk': computer,
            'user_pk': user,
        }
        pk = storage.insert(K.NODE, [values])[0]
        row = storage.get(NodeRow, pk)
        assert row == NodeRow(pk=pk, **values)
        assert row.ctime.tzinfo is UTC
        assert type(row.pk) is int

    def test_what_is_left_out_takes_the_default(self, storage: StorageBackend, user: int) -> None:
        before = datetime.now(UTC)
        first, second = (storage.get(NodeRow, pk) for pk in storage.insert(K.NODE, [{'user_pk': user}] * 2))
        assert first.uuid != second.uuid
        assert UUID(first.uuid).version == 4
        assert before <= first.ctime == first.mtime == second.ctime <= datetime.now(UTC)
        assert (first.attributes, first.extras, first.repository_metadata) == ({}, {}, {})
        assert (first.label, first.process_type, first.computer_pk) == ('', None, None)

    def test_every_kind_of_row_can_be_kept(self, storage: StorageBackend, user: int, add: Callable[..., Any]) -> None:
        source, target = add(number=2)
        computer = storage.insert(K.COMPUTER, [{'label': 'here'}])[0]
        group = storage.insert(K.GROUP, [{'label': 'mine', 'type_string': 'core', 'user_pk': user}])[0]
        rows: dict[EntityKind, JsonDict] = {
            K.AUTHINFO: {'user_pk': user, 'computer_pk': computer, 'auth_params': {'port': 22}, 'enabled': False},
            K.COMMENT: {'node_pk': source, 'user_pk': user, 'content': 'well done'},
            K.LOG: {'node_pk': source, 'loggername': 'a.b', 'levelname': 'INFO', 'message': 'm', 'metadata': {'x': 1}},
            K.LINK: {'input_pk': source, 'output_pk': target, 'label': 'x', 'type': 'create'},
            K.GROUP_NODE: {'group_pk': group, 'node_pk': target},
        }
        for kind, values in rows.items():
            row = storage.get(ROW_TYPES[kind], storage.insert(kind, [values])[0])
            assert {name: getattr(row, name) for name in values} == values
        assert storage.find(AuthInfoRow, {'enabled': False, 'user_pk': user}).__next__().enabled is False

    def test_many_rows_get_their_pks_in_order(self, storage: StorageBackend, user: int) -> None:
        pks = storage.insert(K.NODE, [{'user_pk': user, 'label': str(number)} for number in range(2500)])
        assert len(set(pks)) == 2500
        assert [row.label for row in storage.find(NodeRow, {'pk': pks[::-100]})] == [
            str(number) for number in range(2499, -1, -100)
        ][::-1]
        assert storage.insert(K.NODE, []) == []

    def test_a_missing_row_is_none(self, storage: StorageBackend) -> None:
        assert storage.get(NodeRow, 4711) is None

    @pytest.mark.parametrize(
        'value',
        [
            2**53 + 1,
            2**70,
            -(2**63),
            1e-300,
            5e-324,
            1.7976931348623157e308,
            1e16,
            0.1,
            -0.0,
            True,
            None,
            'x',
            '',
            [[]],
        ],
    )
    def test_json_comes_back_exactly(self, storage: StorageBackend, add: Callable[..., Any], value: Any) -> None:
        read = storage.get(NodeRow, add(attributes={'value': value})).attributes['value']
        assert read == value
        assert type(read) is type(value)

    @pytest.mark.parametrize(
        ('attributes', 'place'),
        [
            ({'a': [0, {'b': float('nan')}]}, r"attributes\['a'\]\[1\]\['b'\]"),
            ({'x': float('inf')}, r"attributes\['x'\]"),
            ({'x': {1: 2}}, r"attributes\['x'\].*key 1"),
            ({None: 2}, 'attributes.*key None'),
            ({'x': {1, 2}}, r"attributes\['x'\].*set"),
            ({'x': b'bytes'}, r"attributes\['x'\].*bytes"),
        ],
    )
    def test_what_json_cannot_carry_is_refused_by_its_path(
        self, storage: StorageBackend, add: Callable[..., Any], attributes: Any, place: str
    ) -> None:
        with pytest.raises(ValidationError, match=place):
            add(attributes=attributes)
        assert list(storage.find(NodeRow)) == []

    def test_what_contains_itself_is_refused(self, add: Callable[..., Any]) -> None:
        endless: list[Any] = []
        endless.append(endless)
        with pytest.raises(ValidationError, match='contains itself'):
            add(attributes={'x': endless})

    def test_unknown_fields_chosen_pks_and_naive_times_are_refused(
        self, storage: StorageBackend, add: Callable[..., Any], user: int
    ) -> None:
        with pytest.raises(ValidationError, match='colour'):
            add(colour='red')
        with pytest.raises(ValidationError, match='pk'):
            add(pk=7)
        with pytest.raises(ValidationError, match='time zone'):
            add(ctime=datetime(2024, 1, 1))
        with pytest.raises(ValidationError, match='uuid'):
            add(uuid='not-one')
        with pytest.raises(ValidationError, match='same fields'):
            storage.insert(K.NODE, [{'user_pk': user}, {'user_pk': user, 'label': 'x'}])

    @pytest.mark.parametrize(
        ('kind', 'field', 'limit'),
        [
            (K.USER, 'email', 254),
            (K.USER, 'last_name', 254),
            (K.COMPUTER, 'hostname', 255),
            (K.NODE, 'label', 255),
            (K.NODE, 'process_type', 255),
            (K.GROUP, 'label', 255),
            (K.GROUP, 'type_string', 255),
            (K.LINK, 'label', 255),
            (K.LOG, 'levelname', 50),
        ],
    )
    def test_a_text_that_is_too_long_for_its_column_is_refused_by_field_limit_and_length(
        self, storage: StorageBackend, user: int, add: Callable[..., Any], kind: K, field: str, limit: int
    ) -> None:
        node = add()
        references = {
            K.GROUP: {'user_pk': user},
            K.LINK: {'input_pk': node, 'output_pk': node, 'type': 'create'},
            K.LOG: {'node_pk': node},
        }
        row = {'user_pk': user} if kind is K.NODE else references.get(kind, {})
        (pk,) = storage.insert(kind, [{**row, field: 'é' * limit}])
        message = f'the {field} of the {kind.value} is too long: {limit + 1} characters, at most {limit}'
        with pytest.raises(ValidationError, match=message):
            storage.insert(kind, [{**row, field: 'short'}, {**row, field: 'x' * (limit + 1)}])
        with pytest.raises(ValidationError, match=message):
            storage.update(kind, pk, {field: 'x' * (limit + 1)})
        with pytest.raises(ValidationError, match=message):
            storage.bulk_update(kind, [{'pk': pk, field: 'x' * (limit + 1)}])
        row_type = ROW_TYPES[kind]
        found = storage.find(row_type, {field: ['é' * limit, 'short']})
        assert [getattr(row, field) for row in found] == ['é' * limit]
        assert list(storage.find(row_type, {field: 'x' * (limit + 1)})) == []

    def test_texts_without_a_limit_are_kept_whole(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        row = storage.get(NodeRow, add(description='x' * 100_000))
        assert row is not None
        assert len(row.description) == 100_000

    # -- constraints --------------------------------------------------------------------------------------------

    def test_a_second_row_with_a_unique_value_is_refused_by_its_name(self, storage: StorageBackend, user: int) -> None:
        with pytest.raises(UniquenessError, match='user with the same email'):
            storage.insert(K.USER, [{'email': 'alice@example.org'}])
        storage.insert(K.GROUP, [{'label': 'a', 'type_string': 'core', 'user_pk': user}])
        storage.insert(K.GROUP, [{'label': 'a', 'type_string': 'core.auto', 'user_pk': user}])
        with pytest.raises(UniquenessError, match='group with the same label and type_string'):
            storage.insert(K.GROUP, [{'label': 'a', 'type_string': 'core', 'user_pk': user}])

    def test_of_a_bulk_insert_that_breaks_a_constraint_nothing_is_kept(self, storage: StorageBackend) -> None:
        with pytest.raises(UniquenessError):
            storage.insert(K.USER, [{'email': f'{number % 999}@example.org'} for number in range(1000)])
        assert list(storage.find(UserRow)) == []

    def test_a_row_that_names_a_missing_one_is_refused(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        with pytest.raises(IntegrityError):
            add(user_pk=4711)
        with pytest.raises(IntegrityError), storage.transaction():
            storage.insert(K.LINK, [{'input_pk': add(), 'output_pk': 4712, 'label': 'x', 'type': 'create'}])
        assert not storage.in_transaction
        assert list(storage.find(NodeRow)) == []

    def test_references_are_checked_at_the_end_of_the_transaction(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        node = add()
        with storage.transaction():
            link = storage.insert(K.LINK, [{'input_pk': node, 'output_pk': node + 1, 'label': 'x', 'type': 'create'}])
            assert add() == node + 1
        assert storage.get(LinkRow, link[0]) is not None

    def test_references_of_many_rows_are_checked_too(
        self, storage: StorageBackend, add: Callable[..., Any], user: int
    ) -> None:
        first, last = add(), add()
        row = {'input_pk': first, 'output_pk': last + 1, 'type': 'create'}
        rows = [{**row, 'label': 'x'}, {**row, 'label': 'y', 'output_pk': last + 2}]
        with pytest.raises(IntegrityError):
            storage.insert(K.LINK, rows)
        with pytest.raises(IntegrityError):
            storage.insert(K.NODE, [{'user_pk': user}, {'user_pk': 4711}])
        assert list(storage.find(LinkRow)) == []
        assert len(list(storage.find(NodeRow))) == 2

    def test_references_of_many_rows_may_be_met_later_in_the_transaction(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        node = add()
        row = {'input_pk': node, 'type': 'create'}
        with storage.transaction():
            links = [{**row, 'label': 'x', 'output_pk': node + 1}, {**row, 'label': 'y', 'output_pk': node + 2}]
            pks = storage.insert(K.LINK, links)
            assert add(number=2) == [node + 1, node + 2]
        assert len(list(storage.find(LinkRow, {'pk': pks}))) == 2

    # -- changing -----------------------------------------------------------------------------------------------

    def test_an_update_changes_what_is_given_and_mtime(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pk = add(label='old', attributes={'a': 1})
        before = storage.get(NodeRow, pk)
        storage.update(K.NODE, pk, {'label': 'new', 'extras': {'b': 2}})
        after = storage.get(NodeRow, pk)
        assert (after.label, after.extras, after.attributes, after.ctime) == ('new', {'b': 2}, {'a': 1}, before.ctime)
        assert after.mtime > before.mtime
        storage.update(K.NODE, pk, {'label': 'newer', 'mtime': before.mtime})
        assert storage.get(NodeRow, pk).mtime == before.mtime
        with pytest.raises(NotExistent, match='4711'):
            storage.update(K.NODE, 4711, {'label': 'x'})

    def test_single_keys_of_a_dictionary_are_set_and_dropped(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        pk = add(extras={'kept': {'deep': [1, 2.0]}, 'old': 1, 'gone': None})
        before = storage.get(NodeRow, pk)
        storage.update_json(K.NODE, pk, 'extras', {'old': 2, 'a "new" \\ one': [None]}, ['gone', 'never there'])
        after = storage.get(NodeRow, pk)
        assert after.extras == {'kept': {'deep': [1, 2.0]}, 'old': 2, 'a "new" \\ one': [None]}
        assert after.mtime > before.mtime
        with pytest.raises(NotExistent, match='4711'):
            storage.update_json(K.NODE, 4711, 'extras', {'x': 1})

    def test_what_was_read_before_is_not_taken_for_what_is_there_now(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        pk = add(extras={'mine': 1})
        token = storage.change_token()
        storage.update_json(K.NODE, pk, 'extras', {'theirs': 2})
        storage.update_json(K.NODE, pk, 'extras', {'last': 3}, as_read=(token, {'mine': 1}))
        assert storage.get(NodeRow, pk).extras == {'mine': 1, 'theirs': 2, 'last': 3}
        with storage.transaction():
            now = storage.change_token()
            storage.update_json(K.NODE, pk, 'extras', {}, ['mine'], (now, {'mine': 1, 'theirs': 2, 'last': 3}))
        assert storage.get(NodeRow, pk).extras == {'theirs': 2, 'last': 3}

    def test_some_fields_of_a_row_are_read_alone(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pk = add(label='here', attributes={'a': 1})
        fields = ('label', 'attributes', 'ctime', 'computer_pk')
        row = storage.get(NodeRow, pk)
        assert storage.get_fields(NodeRow, pk, fields) == ('here', {'a': 1}, row.ctime, None)
        assert storage.get_fields(NodeRow, 4711, fields) is None

    def test_many_rows_are_updated_all_or_none(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pks = add(number=300)
        changes = [{'pk': pk, 'label' if pk % 2 else 'description': str(pk)} for pk in pks]
        storage.bulk_update(K.NODE, changes)
        rows = {row.pk: row for row in storage.find(NodeRow)}
        assert all((rows[pk].label if pk % 2 else rows[pk].description) == str(pk) for pk in pks)
        with pytest.raises(NotExistent, match='4711'):
            storage.bulk_update(K.NODE, [{'pk': pks[0], 'label': 'changed'}, {'pk': 4711, 'label': 'changed'}])
        assert storage.get(NodeRow, pks[0]) == rows[pks[0]]

    def test_deleting_takes_along_what_hangs_on_the_row(
        self, storage: StorageBackend, user: int, add: Callable[..., Any]
    ) -> None:
        node = add()
        group = storage.insert(K.GROUP, [{'label': 'g', 'type_string': 'core', 'user_pk': user}])[0]
        storage.insert(K.COMMENT, [{'node_pk': node, 'user_pk': user}])
        storage.add_nodes_to_group(group, [node])
        assert storage.delete(K.GROUP, [group, 4711]) == 1
        assert list(storage.find(GroupNodeRow)) == []
        assert storage.delete(K.NODE, [node]) == 1
        assert list(storage.find(CommentRow)) == []
        assert storage.delete(K.NODE, []) == 0
        add(number=3)
        assert storage.delete(K.NODE, None) == 3

    def test_a_user_whose_nodes_are_there_cannot_be_deleted(
        self, storage: StorageBackend, user: int, add: Callable[..., Any]
    ) -> None:
        add()
        with pytest.raises(IntegrityError):
            storage.delete(K.USER, [user])
        assert storage.get(UserRow, user) is not None

    # -- finding ------------------------------------------------------------------------------------------------

    def test_find_compares_fields_with_values_lists_and_none(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        a, b, c = add(label='a'), add(label='b', process_type='p'), add(label='B')

        def found(**equal: Any) -> list[int]:
            return [row.pk for row in storage.find(NodeRow, equal)]

        uuid = storage.get(NodeRow, b).uuid
        assert found(label='b') == found(uuid=uuid) == found(uuid=UUID(uuid).hex.upper()) == [b]
        assert (
            found(label=['a', 'b', 'x']) == found(label={'a', 'b'}) == found(uuid=[uuid, storage.get(NodeRow, a).uuid])
        )
        assert found(process_type=None) == [a, c]
        assert found(process_type=[None, 'p']) == [a, b, c]
        assert found(process_type='p', label='a') == found(pk=[]) == []
        assert found(ctime=storage.get(NodeRow, c).ctime) == [c]
        with pytest.raises(ValidationError, match='colour'):
            found(colour='red')
        with pytest.raises(ValidationError, match='JSON'):
            found(attributes={})

    def test_find_sorts_and_limits(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pks = [add(label=label) for label in ('b', 'a', 'b', 'c')]
        assert [row.pk for row in storage.find(NodeRow, order_by=('label',))] == [pks[1], pks[0], pks[2], pks[3]]
        assert [row.pk for row in storage.find(NodeRow, order_by=('-label', '-pk'))] == [pks[3], pks[2], pks[0], pks[1]]
        assert [row.pk for row in storage.find(NodeRow, order_by=('-pk',), limit=2)] == [pks[3], pks[2]]

    @pytest.mark.parametrize('name', ['pk', 'uuid', 'label', 'process_type', 'ctime', 'computer_pk'])
    def test_a_list_without_values_is_that_of_no_row_whatever_the_field_holds(
        self, storage: StorageBackend, add: Callable[..., Any], name: str
    ) -> None:
        pk = add(label='a')
        assert list(storage.find(NodeRow, {name: []})) == []
        without = [row.pk for row in storage.find(NodeRow, {name: [None]})]
        assert without == ([pk] if name in ('process_type', 'computer_pk') else [])

    def test_find_takes_lists_of_any_length(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pks = add(number=3)
        uuids = [str(uuid4()) for _ in range(100_000)]
        assert [row.pk for row in storage.find(NodeRow, {'pk': [*range(10**6, 10**6 + 100_000), *pks]})] == pks
        assert [row.pk for row in storage.find(NodeRow, {'uuid': [*uuids, storage.get(NodeRow, pks[1]).uuid]})] == [
            pks[1]
        ]

    def test_rows_can_be_changed_and_deleted_while_they_are_found(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        pks = add(number=3000)
        seen = []
        for row in storage.find(NodeRow):
            seen.append(row.pk)
            if row.pk == pks[0]:
                storage.delete(K.NODE, pks[2500:2600])
            if row.pk % 500 == 0:
                storage.update(K.NODE, row.pk, {'label': 'seen'})
        assert seen == pks[:2500] + pks[2600:]
        assert [row.pk for row in storage.find(NodeRow, limit=2000)] == pks[:2000]

    def test_a_row_is_found_by_the_start_of_its_uuid(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        first = add(uuid='12345678-9abc-4def-8123-456789abcdef')
        second = add(uuid='12345678-9abc-4def-8123-456789abcdee')
        other = add(uuid='ffffffff-ffff-4fff-bfff-ffffffffffff')

        def found(prefix: str, limit: int = 2) -> set[int]:
            return {row.pk for row in storage.find_uuid_prefix(NodeRow, prefix, limit)}

        for prefix in (
            '1',
            '12345678',
            '123456789',
            '12345678-',
            '12345678-9ABC-4',
            '12345678-9abc-4def-8123-456789abcde',
        ):
            assert found(prefix) == {first, second}, prefix
        assert found('123456789abc4def8123456789abcdee') == {second}
        assert found('12345678-9abc-4def-8123-456789abcdef') == {first}
        assert found('f') == {other}
        assert len(found('1', 1)) == 1
        assert found('2') == found('xyz') == found('') == found('%') == set()

    # -- transactions -------------------------------------------------------------------------------------------

    def test_a_transaction_keeps_all_or_nothing(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        with pytest.raises(KeyError), storage.transaction():  # noqa: PT012
            assert storage.in_transaction
            add(number=10)
            raise KeyError
        assert not storage.in_transaction
        assert list(storage.find(NodeRow)) == []
        with storage.transaction():
            add(number=10)
        assert len(list(storage.find(NodeRow))) == 10

    def test_nested_transactions_are_undone_on_their_own(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        with storage.transaction():
            outer = add()
            with pytest.raises(UniquenessError), storage.transaction():  # noqa: PT012
                add(label='inner')
                with storage.transaction():
                    add(label='innermost')
                storage.insert(K.USER, [{'email': 'alice@example.org'}])
            last = add()
        assert [row.pk for row in storage.find(NodeRow)] == [outer, last]

    def test_a_rollback_calls_what_is_to_be_undone_with_it(self, storage: StorageBackend) -> None:
        called: list[str] = []
        with pytest.raises(KeyError), storage.transaction():  # noqa: PT012
            storage.on_rollback(lambda: called.append('outer'))
            with storage.transaction():
                storage.on_rollback(lambda: called.append('kept inside'))
            with pytest.raises(ValueError), storage.transaction():  # noqa: PT012
                storage.on_rollback(lambda: called.append('inner'))
                raise ValueError
            assert called == ['inner']
            raise KeyError
        assert called == ['inner', 'kept inside', 'outer']
        with storage.transaction():
            storage.on_rollback(lambda: called.append('never'))
        assert len(called) == 3

    def test_threads_have_transactions_of_their_own(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pk = add(label='old')
        seen: list[Any] = []

        def look() -> None:
            seen.append((storage.in_transaction, storage.get(NodeRow, pk).label))

        with storage.transaction():
            storage.update(K.NODE, pk, {'label': 'new'})
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        look()
        assert seen == [(False, 'old'), (False, 'new')]
        threads = [threading.Thread(target=add, kwargs={'number': 50}) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(storage.find(NodeRow))) == 201

    # -- graph --------------------------------------------------------------------------------------------------

    @pytest.fixture
    def group(self, storage: StorageBackend, user: int) -> int:
        return storage.insert(K.GROUP, [{'label': 'g', 'type_string': 'core', 'user_pk': user}])[0]

    def test_membership_is_added_once_and_removed(
        self, storage: StorageBackend, group: int, add: Callable[..., Any]
    ) -> None:
        pks = add(number=5)
        assert storage.add_nodes_to_group(group, pks[:3]) == 3
        assert storage.add_nodes_to_group(group, [*pks, pks[0]]) == 2
        assert storage.add_nodes_to_group(group, []) == 0
        assert storage.remove_nodes_from_group(group, [pks[0], 4711]) == 1
        assert [row.node_pk for row in storage.find(GroupNodeRow, {'group_pk': group})] == pks[1:]
        assert storage.remove_nodes_from_group(group, None) == 4
        with pytest.raises(IntegrityError):
            storage.add_nodes_to_group(group, [4711])

    def test_paths_follow_links_of_the_types_asked_for_and_stop_at_cycles(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        a, b, c, d, e = add(number=5)
        links = [(a, b, 'input_calc'), (b, c, 'create'), (c, a, 'input_calc'), (c, d, 'input_work')]
        storage.insert(
            K.LINK, [{'input_pk': start, 'output_pk': end, 'label': 'x', 'type': kind} for start, end, kind in links]
        )
        data = ('input_calc', 'create')
        assert storage.has_path(a, c, data)
        assert storage.has_path(c, b, data)
        assert storage.has_path(e, e, data)
        assert not storage.has_path(a, d, data)
        assert storage.has_path(a, d, (*data, 'input_work'))
        assert not storage.has_path(d, a, (*data, 'input_work'))
        assert not storage.has_path(a, c, ('create',))
        assert not storage.has_path(a, b, ())

    @pytest.mark.timeout(
        600, func_only=True
    )  # where each step looked at all of the chain again, it would take far longer
    def test_a_long_chain_is_followed_to_its_end(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pks = add(number=5000)
        storage.insert(
            K.LINK, [{'input_pk': a, 'output_pk': b, 'label': 'x', 'type': 'create'} for a, b in pairwise(pks)]
        )
        assert storage.has_path(pks[0], pks[-1], ('create', 'input_calc'))
        assert not storage.has_path(pks[-1], pks[0], ('create', 'input_calc'))

    def test_nodes_are_deleted_with_all_that_hangs_on_them(
        self, storage: StorageBackend, user: int, group: int, add: Callable[..., Any]
    ) -> None:
        pks = add(number=5)
        chain = pairwise(pks)
        storage.insert(K.LINK, [{'input_pk': a, 'output_pk': b, 'label': 'x', 'type': 'create'} for a, b in chain])
        storage.add_nodes_to_group(group, pks)
        storage.insert(K.COMMENT, [{'node_pk': pk, 'user_pk': user} for pk in pks])
        storage.insert(K.LOG, [{'node_pk': pk} for pk in pks])
        storage.delete_nodes_and_connections([*pks[1:3], *range(10**6, 10**6 + 100_000)])
        left = [pks[0], *pks[3:]]
        assert [row.pk for row in storage.find(NodeRow)] == left
        assert [(row.input_pk, row.output_pk) for row in storage.find(LinkRow)] == [(pks[3], pks[4])]
        for row_type in (GroupNodeRow, CommentRow, LogRow):
            assert [row.node_pk for row in storage.find(row_type)] == left

    # -- archives -------------------------------------------------------------------------------------------

    def test_a_shorter_way_for_imports_answers_as_the_contract_does(
        self, storage: StorageBackend, user: int, add: Callable[..., Any]
    ) -> None:
        first, second, third = nodes = add(number=3)
        links = [(first, second), (second, third)]
        storage.insert(K.LINK, [{'input_pk': a, 'output_pk': b, 'type': 'create', 'label': 'x'} for a, b in links])
        storage.insert(K.COMPUTER, [{'label': 'here'}, {'label': 'there'}])
        uuids = [row.uuid for row in storage.find(NodeRow)]
        asked: list[Callable[[ImportTarget], Any]] = [
            lambda target: target.pks_of(K.NODE, 'uuid', [*uuids, str(uuid4())]),
            lambda target: target.pks_of(K.USER, 'email', ['alice@example.org', 'bob@example.org']),
            lambda target: target.labels(K.COMPUTER),
            lambda target: sorted(target.links_of('input_pk', nodes)),
            lambda target: sorted(target.links_of('output_pk', [second])),
            lambda target: sorted(row.pk for row in target.locked_nodes([third, first, 4711])),
            lambda target: target.way_back([(first, second), (third, first), (second, third)], ['create']),
            lambda target: target.way_back([(third, first)], ['return']),
            lambda target: target.take_turn(),
        ]
        with storage.transaction():
            for ask in asked:
                assert ask(storage.import_target()) == ask(ImportTarget(storage))

    def test_rows_of_an_archive_come_in_alike_by_a_shorter_way(self, storage: StorageBackend, user: int) -> None:
        decoders: dict[str, Callable[[Any], Any]] = {
            'time': lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
            'extras': json.loads,
        }
        values = {
            'label': "ünï '",
            'type_string': 'core',
            'time': '2024-02-29 23:59:59.123456',
            'description': '',
            'extras': '{"large": 1e+300, "deep": [{"a": null}], "text": "\\u00fc 1e5"}',
            'user_pk': user,
        }
        rows = []
        for target in (storage.import_target(), ImportTarget(storage)):
            given = {'uuid': str(uuid4()), **values, 'label': f'{values["label"]} {len(rows)}'}
            with storage.transaction():
                (pk,) = target.insert(K.GROUP, list(given), [tuple(given.values())], decoders)
            row = storage.get(GroupRow, pk)
            assert (row.uuid, row.label) == (given['uuid'], given['label'])
            rows.append((row.type_string, row.time, row.description, row.extras, row.user_pk))
        assert rows[0] == rows[1]
        assert rows[0][1:4] == (decoders['time'](values['time']), '', json.loads(str(values['extras'])))

    # -- settings -----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize('value', [None, 'text', '17', 17, 1.5, True, [1, 'a'], {'a': {'b': [None]}}, 2**60])
    def test_a_global_variable_comes_back(self, storage: StorageBackend, value: Any) -> None:
        storage.set_global_variable('mine', value, 'what it is for')
        assert storage.get_global_variable('mine') == value
        storage.set_global_variable('mine', 'changed')
        assert storage.get_global_variable('mine') == 'changed'
        with pytest.raises(InvalidOperation, match='mine'):
            storage.set_global_variable('mine', 1, overwrite=False)
        with pytest.raises(NotExistentKeyError, match='other'):
            storage.get_global_variable('other')

    # -- objects ------------------------------------------------------------------------------------------------

    def test_the_keys_that_nodes_name_are_distinct_and_sorted(
        self, storage: StorageBackend, add: Callable[..., Any], unguarded: None
    ) -> None:
        one, two, three = ('1' * 64, '2' * 64, '3' * 64)
        first = add(repository_metadata={'o': {'k': {'k': two}, 'o': {'o': {'k': {'o': {'k': {'k': three}}}}}}})
        second = add(repository_metadata={'o': {'a b/"c': {'k': one}, 'empty': {}, 'again': {'k': two}}})
        add(repository_metadata={})
        add(attributes={'o': {'x': {'k': 'f' * 64}}})
        assert list(storage.named_keys()) == [one, two, three]
        uses = [(use.key, use.pk, use.path) for use in storage.uses_of_keys([two, three, one, 'e' * 64])]
        assert sorted(uses) == sorted(
            [(two, first, 'k'), (three, first, 'o/k/k'), (one, second, 'a b/"c'), (two, second, 'again')]
        )
        assert list(storage.uses_of_keys([])) == []

    def test_rows_can_be_added_while_keys_are_streamed(
        self, storage: StorageBackend, add: Callable[..., Any], unguarded: None
    ) -> None:
        def tree(number: int) -> JsonDict:
            return {'o': {'f': {'k': f'{number:064x}'}}}

        for number in range(0, 3000, 1000):
            with storage.transaction():
                for offset in range(1000):
                    add(repository_metadata=tree(number + offset))
        keys = []
        for key in storage.named_keys():
            if len(keys) in (0, 1500):
                with storage.transaction():
                    add(repository_metadata=tree(10_000 + len(keys)))
            keys.append(key)
        assert keys == [f'{number:064x}' for number in range(3000)]

    def test_full_maintenance_removes_what_no_node_names(
        self, storage: StorageBackend, add: Callable[..., Any], locked: None
    ) -> None:
        kept = storage.repository.put_object_from_bytes(b'kept')
        garbage = storage.repository.put_object_from_bytes(b'garbage')
        add(repository_metadata={'o': {'f': {'k': kept}}})
        plan = storage.maintain(MaintenanceOptions(full=True, dry_run=True))
        assert plan.before.garbage is not None
        assert plan.before.garbage.objects == 1
        assert plan.steps
        assert storage.repository.has_objects([kept, garbage]) == [True, True]
        report = storage.maintain(MaintenanceOptions(full=True))
        assert report.problem_count == 0
        assert storage.repository.has_objects([kept, garbage]) == [True, False]
        assert storage.repository.get_object_content(kept) == b'kept'
        assert storage.maintain(MaintenanceOptions(full=True)).nothing_to_do

    def test_maintenance_is_asked_for_as_in_aiida_and_then_locks_by_itself(
        self, storage: StorageBackend, add: Callable[..., Any]
    ) -> None:
        kept = storage.repository.put_object_from_bytes(b'kept')
        garbage = storage.repository.put_object_from_bytes(b'garbage')
        add(repository_metadata={'o': {'f': {'k': kept}}})
        assert storage.maintain(full=True, dry_run=True).after is None
        assert storage.maintain().options == MaintenanceOptions()
        assert storage.repository.has_objects([kept, garbage]) == [True, True]
        report = storage.maintain(full=True, dry_run=False, compress=True, do_repack=False)
        assert report.options == MaintenanceOptions(full=True, compress='auto', repack='none')
        assert storage.repository.has_objects([kept, garbage]) == [True, False]
        with pytest.raises(TypeError, match="knows no 'ful'"):
            storage.maintain(ful=True)
        with pytest.raises(TypeError, match='not by both'):
            storage.maintain(MaintenanceOptions(), dry_run=True)

    def test_a_missing_object_is_told_with_its_nodes(
        self, storage: StorageBackend, add: Callable[..., Any], locked: None, unguarded: None
    ) -> None:
        garbage = storage.repository.put_object_from_bytes(b'garbage')
        pk = add(repository_metadata={'o': {'gone.txt': {'k': 'd' * 64}}})
        report = storage.maintain(MaintenanceOptions(full=True))
        assert report.problem_count == 1
        assert (report.problems[0].key, report.problems[0].kind) == ('d' * 64, 'missing')
        assert report.problems[0].nodes == ((pk, storage.get(NodeRow, pk).uuid, 'gone.txt'),)
        assert storage.repository.has_object(garbage)

    def test_a_verification_finds_what_is_missing_and_reads_all_that_is_there(
        self, storage: StorageBackend, add: Callable[..., Any], unguarded: None
    ) -> None:
        keys = [storage.repository.put_object_from_bytes(content) for content in (b'one', b'two', b'')]
        for key in (*keys, 'a' * 64):
            add(repository_metadata={'o': {'file.txt': {'k': key}}})
        assert list(storage.verify_database()) == []
        found = list(storage.repository.verify(VerifyOptions(read=True), storage.named_keys))
        of_objects = [(one.kind, one.key) for one in found if isinstance(one, Finding) and one.key]
        assert of_objects == [('missing object', 'a' * 64)]
        topics = {one.name: one for one in found if isinstance(one, Topic)}
        assert topics['named objects'].checked == 4
        assert sum(topic.checked for name, topic in topics.items() if name.startswith('content')) == 3
        assert all(topic.complete for topic in topics.values())

    def test_info_counts_rows_and_bytes(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        add(number=3)
        storage.repository.put_object_from_bytes(b'four')
        info = storage.get_info(detailed=True)
        assert (info['entities']['node'], info['entities']['user'], info['entities']['group']) == (3, 1, 0)
        assert info['database']['bytes'] > 0
        json.dumps(info)

    # -- life ---------------------------------------------------------------------------------------------------

    def test_the_version_is_the_head(self, storage: StorageBackend) -> None:
        assert storage.version() == type(storage).version_head() == type(storage).version_profile(storage.profile)
        type(storage).migrate(storage.profile)

    def test_a_closed_storage_says_so(self, storage: StorageBackend) -> None:
        assert not storage.is_closed
        storage.close()
        storage.close()
        assert storage.is_closed
        with pytest.raises(ClosedStorage, match=storage.profile.name):
            storage.get(NodeRow, 1)


class ReferenceContract(ReferenceQueryContract, ReferenceUsageContract):
    """What every storage must do that holds the reference data. A subclass has a fixture `storage`: it, open."""

    dropped_extras: tuple[str, ...] = ()

    @pytest.fixture
    def dump(self) -> Any:
        """What AiiDA reads in it."""
        return json.loads(DUMP.read_text())

    def test_nodes_read_as_aiida_reads_them(self, storage: StorageBackend, dump: Any) -> None:
        expected = {node['uuid']: node for node in dump['nodes']}
        rows = list(storage.find(NodeRow))
        assert {row.uuid for row in rows} == set(expected)
        for row in rows:
            node = expected[row.uuid]
            for name in ('node_type', 'process_type', 'label', 'description', 'attributes', 'repository_metadata'):
                assert getattr(row, name) == node[name], name
            assert (str(row.ctime), str(row.mtime)) == (node['ctime'], node['mtime'])
            for name in self.dropped_extras:
                node['extras'].pop(name, None)
            assert row.extras == node['extras']

    def test_links_groups_and_the_rest_read_as_aiida_reads_them(self, storage: StorageBackend, dump: Any) -> None:
        uuids = {row.pk: row.uuid for row in storage.find(NodeRow)}
        groups = {row.pk: row for row in storage.find(GroupRow)}
        links = [[uuids[row.input_pk], uuids[row.output_pk], row.type, row.label] for row in storage.find(LinkRow)]
        assert sorted(links) == sorted([source, target, kind, label] for source, target, kind, label in dump['links'])
        members = [[groups[row.group_pk].uuid, uuids[row.node_pk]] for row in storage.find(GroupNodeRow)]
        assert sorted(members) == sorted(dump['group_nodes'])
        for row_type, name in (
            (UserRow, 'users'),
            (ComputerRow, 'computers'),
            (CommentRow, 'comments'),
            (LogRow, 'logs'),
        ):
            rows = list(storage.find(row_type))
            assert len(rows) == len(dump[name]), name
            for expected in dump[name]:
                values = {field: value for field, value in expected.items() if field not in ('ctime', 'mtime', 'time')}
                assert any(all(getattr(row, field) == value for field, value in values.items()) for row in rows), values

    def test_every_object_that_a_node_names_is_there(self, storage: StorageBackend, dump: Any) -> None:
        keys = list(storage.named_keys())
        assert keys == sorted(dump['objects'])
        assert all(storage.repository.has_objects(keys))
        for key, (digest, size) in dump['objects'].items():
            assert storage.repository.get_object_hash(key) == digest
            assert storage.repository.get_object_size(key) == size
        assert {key for key, _ in storage.repository.iter_object_streams(keys)} == set(keys)

    def test_streams_of_objects_are_seekable(self, storage: StorageBackend, dump: Any) -> None:
        largest = max(dump['objects'], key=lambda key: dump['objects'][key][1])
        content = storage.repository.get_object_content(largest)
        with storage.repository.open(largest) as stream:
            assert stream.seek(-100, 2) == len(content) - 100
            assert stream.read() == content[-100:]
            assert stream.seek(1000) == 1000
            assert stream.read(50) == content[1000:1050]
            assert stream.tell() == 1050
        with pytest.raises(NotExistent, match='0' * 64):
            storage.repository.open('0' * 64)


class ReadOnlyContract(ReferenceContract):
    """What a storage must do that can only be read: refuse every change, and say why."""

    def test_every_change_is_refused(self, storage: StorageBackend) -> None:
        changes: list[Callable[[], object]] = [
            lambda: storage.insert(K.USER, [{'email': 'x'}]),
            lambda: storage.update(K.NODE, 1, {'label': 'x'}),
            lambda: storage.bulk_update(K.NODE, [{'pk': 1, 'label': 'x'}]),
            lambda: storage.delete(K.NODE, [1]),
            lambda: storage.delete_nodes_and_connections([1]),
            lambda: storage.add_nodes_to_group(1, [1]),
            lambda: storage.remove_nodes_from_group(1, None),
            lambda: storage.set_global_variable('x', 1),
            lambda: storage.repository.put_object_from_bytes(b'x'),
            lambda: storage.repository.delete_objects(['a' * 64]),
            lambda: storage.maintain(MaintenanceOptions()),
            lambda: storage.transaction().__enter__(),
        ]
        for change in changes:
            with pytest.raises(ReadOnlyStorage):
                change()

    def test_info_counts_rows_and_objects(self, storage: StorageBackend, dump: Any) -> None:
        info = storage.get_info(detailed=True)
        assert info['entities']['node'] == len(dump['nodes'])
        assert storage.version() == type(storage).version_profile(storage.profile) == type(storage).version_head()
