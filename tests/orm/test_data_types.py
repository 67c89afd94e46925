"""Data types: each keeps what it is given, under the attributes that AiiDA uses."""

from __future__ import annotations

import enum
import http  # noqa: F401 - whose class a node names
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from ricordi import orm
from ricordi.errors import InvalidOperation, ModificationNotAllowed, NotExistent, ValidationError
from ricordi.orm import LinkType


class Fruit(enum.Enum):
    APPLE = 1


class Molecule:
    """What JsonableData wraps."""

    def __init__(self, mass: float) -> None:
        self.mass = mass

    def as_dict(self) -> dict[str, Any]:
        return {'mass': self.mass}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Molecule:
        return cls(values['mass'])


def again(node: Any) -> Any:
    """The node stored and loaded."""
    loaded = orm.load_node(node.store().pk)
    assert type(loaded) is type(node)
    return loaded


@pytest.mark.parametrize(
    ('cls', 'value', 'kept'),
    [
        (orm.Int, 3, 3),
        (orm.Int, 2**70, 2**70),
        (orm.Int, '7', 7),
        (orm.Int, None, 0),
        (orm.Float, 0.1 + 0.2, 0.30000000000000004),
        (orm.Float, 2, 2.0),
        (orm.Float, 1e-300, 1e-300),
        (orm.Str, 'tëxt "quoted" \\ %_', 'tëxt "quoted" \\ %_'),
        (orm.Str, None, ''),
        (orm.Bool, True, True),
        (orm.Bool, None, False),
    ],
)
def test_a_value_is_wrapped(storage: Any, cls: Any, value: Any, kept: Any) -> None:
    node = again(cls(value))
    assert node.value == kept
    assert type(node.value) is type(kept)
    assert node.base.attributes.all == {'value': kept}
    assert node == kept
    assert node == cls(value)
    assert node != cls(None) or kept == cls(None).value


def test_numbers_calculate_to_new_nodes(sqlite_storage: Any) -> None:
    three, half = orm.Int(3), orm.Float(0.5)
    for result, value in (
        (three + half, 3.5),
        (1 + three, 4),
        (three - 1, 2),
        (10 - three, 7),
        (three * three, 9),
        (three / 2, 1.5),
        (6 / three, 2.0),
        (three // 2, 1),
        (7 // three, 2),
        (7 % three, 1),
        (three**2, 9),
        (2**three, 8),
        (-three, -3),
    ):
        assert result == value
        assert type(result) is (orm.Float if isinstance(value, float) else orm.Int)
        assert not result.is_stored
    assert type(three < 4) is orm.Bool
    assert three < 4
    assert not three >= half * 8
    assert (int(orm.Float(2.7)), float(three), abs(orm.Int(-1)), +three) == (2, 3.0, 1, 3)
    assert [10, 20, 30, 40][three] == 40
    assert not orm.Bool(False)
    assert int(orm.Bool(True)) == 1
    with pytest.raises(TypeError):
        three + 'text'


def test_a_value_of_the_wrong_type_is_refused(sqlite_storage: Any) -> None:
    with pytest.raises(ValueError, match='invalid literal'):
        orm.Int('three')
    with pytest.raises(ValidationError, match=r'attributes\["value"\]: nan'):
        orm.Float(float('nan')).store()


@pytest.mark.parametrize('value', ['ab', ('a', 1), {'a': 1}, range(3), 5])
def test_only_a_list_becomes_a_list_node(sqlite_storage: Any, value: Any) -> None:
    with pytest.raises(TypeError, match='a list is needed'):
        orm.List(value)
    assert orm.List().get_list() == orm.List(list=[]).get_list() == []


def test_a_list_node_does_not_share_the_list_it_was_made_from(sqlite_storage: Any) -> None:
    items = [1]
    node = orm.List(items)
    items.append(2)
    assert node == [1]


@pytest.mark.parametrize(
    'make',
    [
        lambda: orm.Int(2),
        lambda: orm.Float(2.0),
        lambda: orm.Str('x'),
        lambda: orm.Bool(True),
        lambda: orm.List([1]),
        lambda: orm.Dict({'a': 1}),
        lambda: orm.EnumData(LinkType.CREATE),
    ],
)
def test_nodes_that_are_equal_by_value_are_not_hashed(sqlite_storage: Any, make: Any) -> None:
    assert make() == make()
    with pytest.raises(TypeError, match='unhashable'):
        hash(make())


def test_nodes_that_are_equal_by_uuid_are_hashed_by_it(sqlite_storage: Any) -> None:
    node = orm.SinglefileData.from_string('x').store()
    assert {node, orm.load_node(node.pk)} == {node}
    assert node != orm.SinglefileData.from_string('x')


def test_arrays_become_text_and_arrays_again() -> None:
    saved = orm.ArrayData.save_arrays({'x': numpy.array([[1.5, 2.0]])})
    assert isinstance(saved['x'], bytes)
    assert orm.ArrayData.load_arrays(saved)['x'].tolist() == [[1.5, 2.0]]


def test_parameters_have_the_names_that_aiida_gives_them(sqlite_storage: Any) -> None:
    node = orm.List([1])
    node.insert(i=0, value=0)
    node.extend(value=[2])
    assert node == [0, 1, 2]
    data = orm.Data()
    data.base.attributes.reset(attributes={'a': 1})
    data.base.attributes.set_many(attributes={'b': 2})
    data.base.extras.reset(extras={'c': 3})
    data.base.extras.set_many(extras={'d': 4})
    assert (data.base.attributes.all, data.base.extras.all) == ({'a': 1, 'b': 2}, {'c': 3, 'd': 4})
    assert data.store().base.caching.compute_hash(ignore_errors=False, odict_as_unordered=True)


def test_a_list_behaves_as_one_until_it_is_stored(storage: Any) -> None:
    node = orm.List([3, 'a'])
    node.append({'deep': [1]})
    node.extend([1, 2])
    node.insert(0, 'first')
    node.remove('a')
    node[1] = 30
    del node[0]
    assert node.pop() == 2
    node.reverse()
    assert node == [1, {'deep': [1]}, 30]
    node[1]['deep'].append(2)
    loaded = again(node)
    assert loaded.get_list() == loaded.value == [1, {'deep': [1, 2]}, 30]
    assert (len(loaded), loaded[0], loaded.index(30), loaded.count(1), 30 in loaded) == (3, 1, 2, 1, True)
    assert loaded.base.attributes.all == {'list': [1, {'deep': [1, 2]}, 30]}
    for change in (
        lambda: loaded.append(1),
        loaded.sort,
        loaded.clear,
        lambda: loaded.__setitem__(0, 1),
        lambda: loaded.set_list([]),
    ):
        with pytest.raises(ModificationNotAllowed):
            change()
    loaded.get_list().append('a copy')
    assert len(loaded) == 3
    with pytest.raises(TypeError):
        node.set_list('text')


def test_a_dict_behaves_as_one_until_it_is_stored(storage: Any) -> None:
    node = orm.Dict({'a': 1})
    node['b'] = {'c': 2}
    node.dict.d = 3
    node.update_dict({'e': 4, 'f': 5})
    del node['f']
    loaded = again(node)
    assert loaded == {'a': 1, 'b': {'c': 2}, 'd': 3, 'e': 4}
    assert loaded.get_dict() == loaded.value == loaded.base.attributes.all
    assert (loaded['a'], loaded.dict.b['c'], loaded.get('x', 9), 'a' in loaded, len(loaded)) == (1, 2, 9, True, 4)
    assert sorted(loaded) == sorted(loaded.keys()) == ['a', 'b', 'd', 'e']
    assert dict(loaded.items()) == loaded.get_dict()
    with pytest.raises(KeyError, match="no key 'x'"):
        loaded['x']
    with pytest.raises(ModificationNotAllowed):
        loaded['a'] = 2
    draft = orm.Dict({'a': 1})
    draft.set_dict({'b': 2})
    assert draft == {'b': 2}
    with pytest.raises(ValidationError, match='period'):
        draft.set_dict({'c': 1, 'b.c': 2})
    assert draft == {'b': 2}
    with pytest.raises(ValidationError, match='period'):
        orm.Dict({'a.b': 1})


def test_nodes_inside_values_become_their_values(storage: Any) -> None:
    node = again(orm.Dict({'i': orm.Int(1), 'l': orm.List([orm.Str('s')]), 'd': orm.Dict({'x': orm.Bool(True)})}))
    assert node == {'i': 1, 'l': ['s'], 'd': {'x': True}}


def test_a_member_of_an_enum_comes_back(storage: Any) -> None:
    node = again(orm.EnumData(Fruit.APPLE))
    assert node.base.attributes.all == {'name': 'APPLE', 'value': 1, 'identifier': f'{__name__}:Fruit'}
    assert (node.name, node.value) == ('APPLE', 1)
    node.row.attributes['identifier'] = 'no.such.module:Fruit'
    with pytest.raises(ImportError, match=r'no\.such\.module:Fruit'):
        node.get_member()
    node.row.attributes.update(identifier='http:HTTPStatus', value=200)
    assert node.member.name == 'OK'
    assert node == node.member
    node.row.attributes['value'] = 9
    with pytest.raises(ValueError, match='has changed'):
        node.get_member()
    with pytest.raises(TypeError, match='member of an enum'):
        orm.EnumData('APPLE')  # type: ignore[arg-type]


def test_an_object_comes_back_from_its_dictionary(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules[Molecule.__module__])
    node = again(orm.JsonableData(Molecule(float('inf'))))
    assert node.base.attributes.all == {'@class': 'Molecule', '@module': __name__, 'mass': 'Infinity'}
    node.row.attributes.update({'@module': 'fractions', '@class': 'NoSuchClass'})
    with pytest.raises(ImportError, match=r'fractions\.NoSuchClass'):
        node.obj  # noqa: B018
    for wrong in (None, 3):
        with pytest.raises(TypeError, match='as_dict'):
            orm.JsonableData(wrong)


def test_a_single_file_is_kept_under_its_name(storage: Any, tmp_path: Path) -> None:
    path = tmp_path / 'ïn.txt'
    path.write_text('content', 'utf-8')
    for node, name in (
        (orm.SinglefileData(path), 'ïn.txt'),
        (orm.SinglefileData(str(path), 'other'), 'other'),
        (orm.SinglefileData(path.open('rb')), 'ïn.txt'),
        (orm.SinglefileData(io.BytesIO(b'content')), 'file.txt'),
        (orm.SinglefileData(content='content', filename='c'), 'c'),
        (orm.SinglefileData.from_string('content', 's'), 's'),
        (orm.SinglefileData.from_bytes(b'content'), 'file.txt'),
    ):
        loaded = again(node)
        assert loaded.filename == name
        assert loaded.base.attributes.all == {'filename': name}
        assert loaded.get_content() == 'content'
        assert loaded.content == loaded.get_content('rb') == b'content'
        with loaded.open(mode='rb') as handle:
            assert handle.read() == b'content'
        with loaded.as_path() as copy:
            assert (copy.name, copy.read_bytes()) == (name, b'content')


def test_a_single_file_is_exactly_one(storage: Any, tmp_path: Path) -> None:
    node = orm.SinglefileData.from_string('one', 'one')
    node.set_file(io.StringIO('two'), 'two')
    assert node.base.repository.list_object_names() == ['two']
    node.base.repository.put_object_from_bytes(b'', 'three')
    with pytest.raises(ValidationError, match='exactly one file'):
        node.store()
    with pytest.raises(ValidationError, match='nothing'):
        orm.SinglefileData().store()
    with pytest.raises(ValueError, match='absolute'):
        orm.SinglefileData('relative')
    with pytest.raises(ValueError, match='no file'):
        orm.SinglefileData(tmp_path / 'none')
    with pytest.raises(ValueError, match='not both'):
        orm.SinglefileData(io.StringIO(), content='x')


def test_arrays_come_back(storage: Any) -> None:
    arrays = {
        'floats': numpy.linspace(0, 1, 6).reshape(2, 3),
        'bools': numpy.array([True, False]),
        'none': numpy.zeros((0, 3)),
        'complex': numpy.array([1j]),
        'text': numpy.array(['a', 'bc']),
    }
    node = orm.ArrayData(arrays)
    node.set_array('gone', numpy.zeros(1))
    node.delete_array('gone')
    loaded = again(node)
    assert loaded.get_arraynames() == list(arrays) or set(loaded.get_arraynames()) == set(arrays)
    for name, array in arrays.items():
        assert loaded.get_array(name).dtype == array.dtype
        assert numpy.array_equal(loaded.get_array(name), array)
        assert loaded.get_shape(name) == array.shape
    assert loaded.base.attributes.get('array|floats') == [2, 3]
    assert loaded.get_array('floats') is loaded.get_array('floats')
    loaded.clear_internal_cache()
    assert dict(loaded.get_iterarrays()).keys() == loaded.arrays.keys() == arrays.keys()


def test_one_array_needs_no_name(sqlite_storage: Any) -> None:
    assert orm.ArrayData([1, 2]).get_array().tolist() == [1, 2]
    with pytest.raises(ValueError, match='0 arrays'):
        orm.ArrayData().get_array()
    with pytest.raises(KeyError, match="no array 'x'; it has: default"):
        orm.ArrayData(numpy.zeros(2)).get_array('x')
    with pytest.raises(KeyError):
        orm.ArrayData().delete_array('x')


def test_what_is_no_array_is_refused(sqlite_storage: Any) -> None:
    node = orm.ArrayData()
    with pytest.raises(TypeError, match='asarray'):
        node.set_array('a', [1])
    with pytest.raises(ValidationError, match='letters, digits'):
        node.set_array('a-b', numpy.zeros(1))
    with pytest.raises(ValidationError, match="array 'a' cannot be kept"):
        node.set_array('a', numpy.array([object()]))
    with pytest.raises(TypeError):
        orm.ArrayData('text')
    node.base.repository.put_object_from_bytes(b'', 'stray.npy')
    with pytest.raises(ValidationError, match='differ'):
        node.store()


def test_arrays_say_what_to_install_without_numpy(new_storage: Any) -> None:
    script = (
        'import sys; sys.modules["numpy"] = None\n'
        'from ricordi.orm import ArrayData\n'
        'from ricordi.errors import InvalidOperation\n'
        'try: ArrayData.set_array(object.__new__(ArrayData), "a", None)\n'
        'except InvalidOperation as error: print(error)\n'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True)
    assert 'pip install numpy' in done.stdout


def test_arrays_are_exported_as_json(sqlite_storage: Any, tmp_path: Path) -> None:
    import json

    node = orm.ArrayData(numpy.array([1.0, numpy.nan, numpy.inf]))
    assert orm.ArrayData.get_export_formats() == ['json']
    assert node.export(tmp_path / 'a.json') == [str(tmp_path / 'a.json')]
    assert json.loads((tmp_path / 'a.json').read_text()) == {'default': [1.0, None, None], 'original_uuid': node.uuid}
    with pytest.raises(FileExistsError, match='overwrite'):
        node.export(tmp_path / 'a.json')
    node.export(str(tmp_path / 'a.json'), overwrite=True)
    with pytest.raises(InvalidOperation, match="does not know the format 'xyz', only: json"):
        node.export(tmp_path / 'a.xyz')


def test_quantities_over_an_axis(storage: Any) -> None:
    node = orm.XyData()
    with pytest.raises(NotExistent):
        node.get_x()
    with pytest.raises(ValueError, match='x values first'):
        node.set_y(numpy.zeros(3), 'y', 'K')
    node.set_x(numpy.arange(3), 'position', 'm')
    with pytest.raises(ValueError, match='shape'):
        node.set_y(numpy.zeros(4), 'y', 'K')
    node.set_y([numpy.zeros(3), numpy.ones(3)], ['t', 'p'], ['K', 'Pa'])
    loaded = again(node)
    name, array, unit = loaded.get_x()
    assert (name, array.tolist(), unit) == ('position', [0, 1, 2], 'm')
    assert [(name, unit) for name, _, unit in loaded.get_y()] == [('t', 'K'), ('p', 'Pa')]
    short = orm.XyData([1, 2], [3, 4], x_name='x', x_units='m', y_names='y', y_units='K')
    assert short.get_y()[0][1].tolist() == [3, 4]
    with pytest.raises(TypeError, match='y_names'):
        orm.XyData([1], x_name='x')


def test_a_remote_folder_is_bound_to_a_computer(storage: Any, computer: Any) -> None:
    node = again(orm.RemoteData('/scratch/x', computer=computer))
    assert node.get_remote_path() == '/scratch/x'
    assert node.base.attributes.all == {'remote_path': '/scratch/x'}
    assert node.computer == computer
    assert not node.is_cleaned
    node.base.extras.set('cleaned', True)
    assert node.is_cleaned
    with pytest.raises(ValidationError, match='computer'):
        orm.RemoteData('/x').store()
    with pytest.raises(ValidationError, match='remote_path'):
        orm.RemoteData(computer=computer).store()
    with pytest.raises(NotExistent):
        orm.RemoteData('/x').get_authinfo()


def test_stashed_files(storage: Any) -> None:
    mode = orm.StashMode
    node = again(orm.RemoteStashFolderData(mode.COPY, '/stash', ['a', 'b']))
    assert (node.stash_mode, node.target_basepath, node.source_list) == (mode.COPY, '/stash', ['a', 'b'])
    assert not node.fail_on_missing
    assert again(orm.RemoteStashCompressedData(mode.COMPRESS_TARGZ, '/x.tar.gz', ['a'], True)).dereference
    assert again(orm.RemoteStashCustomData(mode.SUBMIT_CUSTOM_CODE, '/x', ['a'])).source_list == ['a']
    with pytest.raises(ValidationError, match='not for stash_mode'):
        orm.RemoteStashFolderData(mode.COMPRESS_TAR, '/stash', [])


@pytest.fixture
def computer(storage: Any) -> orm.Computer:
    return orm.Computer('host', 'localhost', transport_type='core.local', scheduler_type='core.direct').store()


def test_an_installed_code(storage: Any, computer: Any) -> None:
    code = again(
        orm.InstalledCode(
            computer, '/usr/bin/pw.x', label='pw', default_calc_job_plugin='quantumespresso.pw', with_mpi=True
        )
    )
    assert code.base.attributes.all == {
        'append_text': '',
        'filepath_executable': '/usr/bin/pw.x',
        'input_plugin': 'quantumespresso.pw',
        'prepend_text': '',
        'use_double_quotes': False,
        'with_mpi': True,
        'wrap_cmdline_params': False,
    }
    assert code.base.extras.all == {'hidden': False}
    assert code.full_label == code.get_description() == 'pw@host'
    assert str(code.get_executable()) == str(code.filepath_executable) == '/usr/bin/pw.x'
    assert code.can_run_on_computer(computer)
    assert code.get_executable_cmdline_params(['-i']) == ['/usr/bin/pw.x', '-i']
    assert code.get_prepend_cmdline_params(['mpirun'], ['-x']) == ['mpirun', '-x']
    assert isinstance(code, orm.Code)
    assert isinstance(code, orm.AbstractCode)
    code.is_hidden = True
    assert orm.load_code('pw@host').is_hidden
    with pytest.raises(ValueError, match='@'):
        code.label = 'a@b'
    assert orm.InstalledCode('host', '/x', label='by label of the computer').computer == computer


def test_a_code_is_told_by_where_it_is(sqlite_storage: Any, computer: Any) -> None:
    installed = orm.InstalledCode(computer, '/bin/x', label='x').store()
    assert str(installed) == f"Remote code 'x' on {computer.label} pk: {installed.pk}, uuid: {installed.uuid}"
    portable = orm.PortableCode('x', label='mine')
    assert str(portable) == f"Local code 'mine' pk: None, uuid: {portable.uuid}"


def test_a_portable_code(storage: Any, tmp_path: Path) -> None:
    (tmp_path / 'bin').mkdir()
    (tmp_path / 'bin' / 'run.sh').write_text('#!/bin/sh')
    code = again(orm.PortableCode('bin/run.sh', tmp_path, label='portable'))
    assert (code.full_label, str(code.filepath_executable)) == ('portable', 'bin/run.sh')
    assert code.get_executable_cmdline_params() == ['bin/run.sh']
    assert orm.PortableCode('run.sh').get_executable_cmdline_params(['x']) == ['./run.sh', 'x']
    with pytest.raises(ValidationError, match='not among the files'):
        orm.PortableCode('none.sh', tmp_path).store()
    with pytest.raises(ValueError, match='relative'):
        orm.PortableCode('/bin/sh')
    with pytest.raises(ValueError, match='not a folder'):
        orm.PortableCode('x', tmp_path / 'none')


def test_a_code_in_a_container(storage: Any, computer: Any) -> None:
    code = again(
        orm.ContainerizedCode(
            'docker run {image_name}', 'ubuntu', computer=computer, filepath_executable='bash', label='c'
        )
    )
    assert code.get_prepend_cmdline_params(['mpirun']) == ['mpirun', 'docker', 'run', 'ubuntu']
    assert (code.engine_command, code.image_name) == ('docker run {image_name}', 'ubuntu')
    with pytest.raises(ValueError, match='image_name'):
        orm.ContainerizedCode('docker run', 'ubuntu', computer=computer, filepath_executable='bash')
    with pytest.raises(ValueError, match='must be given'):
        orm.ContainerizedCode(computer=computer, filepath_executable='bash')


def test_the_source_of_data_is_kept(storage: Any) -> None:
    node = again(orm.Data(source={'uri': 'https://example.org', 'license': 'MIT'}))
    assert node.source == {'uri': 'https://example.org', 'license': 'MIT'}
    assert orm.Data().source is None
    with pytest.raises(KeyError, match='uri'):
        orm.Data(source={'url': ''})
    with pytest.raises(ValueError, match='dict'):
        orm.Data().set_source('x')


@pytest.mark.parametrize(
    ('value', 'cls'),
    [
        (True, orm.Bool),
        (1, orm.Int),
        (1.5, orm.Float),
        ('s', orm.Str),
        ([1], orm.List),
        ({'a': 1}, orm.Dict),
        (Fruit.APPLE, orm.EnumData),
        (numpy.int32(1), orm.Int),
        (numpy.float32(1), orm.Float),
        (numpy.bool_(True), orm.Bool),
        (numpy.zeros(2), orm.ArrayData),
    ],
)
def test_python_values_become_nodes(sqlite_storage: Any, value: Any, cls: Any) -> None:
    node = orm.to_aiida_type(value)
    assert type(node) is cls
    assert orm.to_aiida_type(node) is node


def test_what_no_node_wraps_is_refused(sqlite_storage: Any) -> None:
    with pytest.raises(TypeError, match='set'):
        orm.to_aiida_type({1, 2})
