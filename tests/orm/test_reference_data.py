"""All that AiiDA reads in the reference profile is read the same through the frontend."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ricordi import orm


def test_everything_is_read_as_aiida_reads_it(reference_storage: Any, reference: Any, read_everything: Any) -> None:
    found = read_everything()
    assert found.keys() == reference.keys()
    for name, expected in reference.items():
        assert json.dumps(found[name], sort_keys=True) == json.dumps(expected, sort_keys=True), name


def test_every_core_type_has_its_class(reference_storage: Any) -> None:
    for node in orm.Node.collection.all():
        assert type(node).class_node_type == node.node_type


def test_hashes_are_computed_as_aiida_computes_them(reference_storage: Any) -> None:
    for node in orm.Node.collection.all():
        if node.base.caching.get_hash() is not None and getattr(node, 'is_sealed', True):
            assert node.base.caching.compute_hash() == node.base.caching.get_hash(), node


def test_equal_calculations_are_found_by_their_hash(reference_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules['__main__'], 'add', lambda x, y: x + y, raising=False)  # the script that ran them
    functions = orm.CalcFunctionNode.collection.find({'attributes.function_name': 'add'})
    same = {node.uuid for node in functions[0].base.caching.get_all_same_nodes()}
    hashes = {node.uuid for node in functions if node.base.caching.get_hash() == functions[0].base.caching.get_hash()}
    assert same == hashes
    functions[0].base.caching.clear_hash()
    assert functions[0] not in functions[0].base.caching.get_all_same_nodes()
    functions[0].base.caching.rehash()
    assert functions[0] in functions[0].base.caching.get_all_same_nodes()


def test_what_may_be_cached_from_is_what_aiida_says(reference_storage: Any) -> None:
    valid = [node.pk for node in orm.ProcessNode.collection.all() if node.base.caching.is_valid_cache]
    assert valid == [60, 63, 66, 69, 72]  # jobs that ended well; AiiDA 2.9.4 says the same of each process
    assert all(node.base.caching.is_valid_cache for node in orm.Data.collection.all())


def test_outgoing_links_are_the_incoming_ones(reference_storage: Any, reference: Any) -> None:
    outgoing = [
        [node.uuid, target, link_type.value, label]
        for node in orm.Node.collection.all()
        for target, link_type, label in node.base.links.get_outgoing(only_uuid=True)
    ]
    assert sorted(outgoing) == sorted(reference['links'])


def test_properties_of_processes(reference_storage: Any) -> None:
    nested = orm.load_node(21)
    assert nested.is_finished_ok
    assert nested.is_sealed
    assert [node.process_label for node in nested.called] == ['add_multiply', 'table']
    assert len(nested.called_descendants) == 4
    assert sorted(nested.inputs) == ['n', 'sub']
    assert sorted(nested.outputs) == ['folder', 'result']
    broken = orm.WorkChainNode.collection.get(process_type='__main__.Broken')
    assert broken.exception == 'RuntimeError: boom'
    function = orm.CalcFunctionNode.collection.find({'attributes.exit_status': 411})[0]
    assert function.exit_code == (411, 'it failed on purpose', False)
    assert function.get_source_code_function().splitlines()[1] == 'def fail(x):'
    code = orm.load_code('pw@cluster')
    assert code.default_calc_job_plugin == 'core.arithmetic.add'
    array = orm.ArrayData.collection.query(subclassing=False).first(flat=True)
    assert array.get_array('mask').shape == array.get_shape('mask') == (3, 4)
    assert orm.KpointsData.collection.all()[0].get_kpoints_mesh() == ([4, 4, 4], [0.0, 0.0, 0.0])
    assert orm.StructureData.collection.all()[0].sites[1]['kind_name'] == 'Si'
