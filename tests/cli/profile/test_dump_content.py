"""Names and contents of the folders of a dump, whatever labels and archives hold."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ricordi.services.dump.content import ProcessContent, Shape
from ricordi.services.dump.names import called_name, group_path, node_name, safe_name

KEY, OTHER = 'a' * 64, 'b' * 64


@given(st.text(), st.sampled_from(['', '-42']))
def test_any_text_becomes_one_step_of_a_path(text: str, suffix: str) -> None:
    name = safe_name(text, suffix)
    assert name not in ('', '.', '..')
    assert '/' not in name
    assert '\0' not in name
    assert len(name.encode()) <= 255
    assert name.endswith(suffix)


@given(st.text())
def test_a_group_stays_below_its_folder(label: str) -> None:
    path = PurePosixPath(group_path(label))
    assert not path.is_absolute()
    assert '..' not in path.parts
    assert path.parts


@pytest.mark.parametrize(
    ('label', 'path'), [('a/b', 'a/b'), ('/a//b/', 'a/b'), ('../x', '__/x'), ('/', '_'), ('ünï 100%', 'ünï 100%')]
)
def test_the_slashes_of_a_label_make_folders(label: str, path: str) -> None:
    assert group_path(label) == path


def test_a_process_is_named_by_its_label_its_process_label_or_its_type() -> None:
    assert node_name(4, 'mine', 'add', 'type') == 'mine-4'
    assert node_name(4, '', 'add', 'type') == 'add-4'
    assert node_name(4, '', None, 'aiida.x:y') == 'aiida.x:y-4'
    assert node_name(4, '', None, None) == '4'
    assert node_name(4, 'x' * 300, None, None).endswith('x-4')


def test_a_called_process_is_named_by_place_link_and_process_label() -> None:
    assert called_name(1, 24, 'CALL', 'add') == '01-CALL-add-24'.replace('CALL-', '')
    assert called_name(12, 24, 'relax', 'PwRelax') == '12-relax-PwRelax-24'
    assert called_name(2, 24, 'relax', 'relax') == '02-relax-24'
    assert called_name(3, 24, 'relax', None) == '03-relax-24'


def test_names_of_files_cannot_lead_out_of_the_folder() -> None:
    content = ProcessContent(b'')
    content.add_tree('inputs', {'o': {'..': {'o': {'x': {'k': KEY}}}, 'a/b': {'k': KEY}, '.': {'k': KEY}}})
    assert set(content.files) == {'inputs/', 'inputs/__/', 'inputs/__/x', 'inputs/a/b', 'inputs/_'}


def test_of_two_files_with_one_name_the_later_stays() -> None:
    content = ProcessContent(b'')
    content.add_tree('', {'o': {'x': {'k': KEY}}})
    content.add_tree('', {'o': {'x': {'k': OTHER}}})
    assert content.files == {'x': OTHER}


def test_a_file_with_the_name_of_a_folder_or_of_the_metadata_gets_another() -> None:
    content = ProcessContent(b'')
    content.add_tree('', {'o': {'x': {'k': KEY}, 'y': {'o': {'z': {'k': KEY}}}}})
    content.add_tree('', {'o': {'y': {'k': OTHER}, 'x': {'o': {'z': {'k': OTHER}}}}})
    content.add_tree('', {'o': {'aiida_node_metadata.yaml': {'k': OTHER}, '.aiida_dump_safeguard': {'k': OTHER}}})
    assert content.files == {
        'x': KEY,
        'y/': '',
        'y/z': KEY,
        'y_': OTHER,
        'x_/': '',
        'x_/z': OTHER,
        'aiida_node_metadata.yaml_': OTHER,
        '.aiida_dump_safeguard_': OTHER,
    }


def test_shapes_are_told_apart_by_short_text() -> None:
    shapes = [Shape(), Shape(outputs=True), Shape(flat=True), Shape(inputs=False, attributes=False)]
    assert len({str(shape) for shape in shapes}) == 4
