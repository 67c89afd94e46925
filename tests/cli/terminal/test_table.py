"""Tables of text."""

import sys
from collections.abc import Callable

import pytest

from ricordi.cli.terminal.shapes import NUMBER, TEXT, TYPE, UUID
from ricordi.cli.terminal.table import all_lines, format_table, laid_out
from ricordi.cli.terminal.widths import display_width, shortened, wrapped


def test_columns_are_as_wide_as_their_widest_cell_and_lines_have_no_trailing_blanks() -> None:
    assert format_table([['a', 'long cell', ''], ['bbb', 'c', 'd']], ['one', 'two', '']).split('\n') == [
        'one  two',
        '---  ---------  -',
        'a    long cell',
        'bbb  c          d',
    ]


def test_numbers_are_aligned_to_the_right() -> None:
    assert format_table([['a', '1'], ['b', '1,000']], right=[1]).split('\n') == ['a      1', 'b  1,000']


def test_wide_and_combining_characters_take_the_room_they_take_on_a_terminal() -> None:
    assert (display_width('日本'), display_width('é'), display_width('e\u0301'), display_width('ab')) == (4, 1, 1, 2)
    assert format_table([['日本', 'x'], ['ab', 'y']]).split('\n') == ['日本  x', 'ab    y']


def test_rows_of_different_length_and_empty_tables_are_no_problem() -> None:
    assert format_table([['a'], ['b', 'c']]) == 'a\nb  c'
    assert format_table([]) == ''
    assert format_table([], ['one']) == 'one\n---'


def test_a_cell_of_several_lines_makes_its_row_as_high() -> None:
    assert format_table([['a\nb', 'x'], ['c', 'y']], ['one', 'two']).split('\n') == [
        'one  two',
        '---  ---',
        'a    x',
        'b',
        'c    y',
    ]


def test_signs_that_are_known_to_be_narrow_are_so() -> None:
    from wcwidth import wcwidth

    from ricordi.cli.terminal import widths

    assert {chr(sign): wcwidth(chr(sign)) for sign in widths.NARROW if wcwidth(chr(sign)) != 1} == {}
    assert display_width('⏹ Finished [0]') == 14


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes standard output a terminal of so many columns."""

    def narrow(count: int) -> None:
        monkeypatch.setenv('COLUMNS', str(count))
        monkeypatch.setattr(sys.stdout, 'isatty', lambda: True, raising=False)

    return narrow


ROW = ['7', '6513270e-269e-4d37-b2a7-4de452e6b438', 'data.core.singlefile.SinglefileData.', 'a text of some words']
SHAPES = {0: NUMBER, 1: UUID, 2: TYPE, 3: TEXT}


def test_a_uuid_gives_way_first_then_a_type_by_its_start_then_a_text_between_words(
    columns: Callable[[int], None],
) -> None:
    columns(78)
    assert format_table([ROW], ['PK', 'UUID', 'Type', 'Text'], (0,), SHAPES).split('\n')[2:] == [
        ' 7  6513270e…  data.core.singlefile.SinglefileData.  a text of some words'
    ]
    columns(60)
    assert format_table([ROW], ['PK', 'UUID', 'Type', 'Text'], (0,), SHAPES).split('\n')[2:] == [
        ' 7  6513270e…  …SinglefileData.         a text of some words'
    ]
    columns(50)
    lines = format_table([ROW], ['PK', 'UUID', 'Type', 'Text'], (0,), SHAPES).split('\n')[2:]
    assert [line[31:].strip() for line in lines] == ['a text of some', 'words']


def test_where_no_table_has_room_there_is_a_block_for_each_row(columns: Callable[[int], None]) -> None:
    columns(30)
    assert (
        format_table([ROW, ROW], ['PK', 'UUID', 'Type', 'Text'], (0,), SHAPES).split('\n\n')
        == [
            'PK  7\n'
            '  UUID\n    6513270e-269e-4d37-b2a7-\n    4de452e6b438\n'
            '  Type\n    data.core.singlefile.\n    SinglefileData.\n'
            '  Text  a text of some words'
        ]
        * 2
    )


def test_texts_are_wrapped_between_words_and_paths_after_folders() -> None:
    assert wrapped('  one two three', 9) == ['  one two', '  three']
    assert wrapped('see /a/long/path/to/it', 12) == ['see', '/a/long/', 'path/to/it']
    assert wrapped('run `ricordi x y` now', 13) == ['run', '`ricordi x y`', 'now']
    assert ''.join(wrapped('x' * 30, 12)) == 'x' * 30


def test_wide_characters_count_twice_where_a_text_is_shortened() -> None:
    assert shortened('日本語日本語', 7) == '日本語…'
    assert shortened('abcdef', 4, keeps_end=True) == '…def'
    assert shortened('abcdef', 6) == 'abcdef'


def test_a_heading_that_is_wider_than_its_column_is_wrapped_above_it(columns: Callable[[int], None]) -> None:
    columns(40)
    rows = [['alpha', '', 'one two three four five'], ['beta', '', 'six']]
    assert format_table(rows, ['Name', 'Process status of it', 'Text']).split('\n') == [
        'Name   Process status   Text',
        '       of it',
        '-----  ---------------  ----------------',
        'alpha                   one two three',
        '                        four five',
        'beta                    six',
    ]


def test_an_empty_table_shows_its_headings_however_narrow_it_is(columns: Callable[[int], None]) -> None:
    headings = ['Name', 'Entry point of the plug-in', 'Description of it', '']
    columns(20)
    assert format_table([], headings).split('\n') == ['Name, Entry point of', 'the plug-in,', 'Description of it']
    columns(80)
    assert format_table([], headings).startswith('Name  Entry point of the plug-in  Description of it\n----  ---')


def test_a_number_that_comes_later_stays_whole_also_where_its_column_is_narrower(
    columns: Callable[[int], None],
) -> None:
    columns(40)
    table = laid_out([['1', 'short text']], ['PK', 'Text'], (0,))
    rows = [['12345678', 'short text'], ['1' * 35, 'short text'], ['2', 'short text']]
    assert list(all_lines(table, rows)) == [
        '12345678  short text',
        f'PK  {"1" * 35}',
        '  Text  short text',
        ' 2  short text',
    ]


def test_names_and_values_that_are_no_table_stand_a_pair_a_line_and_values_whole_where_they_can(
    columns: Callable[[int], None],
) -> None:
    columns(40)
    rows = [['type', 'Int'], ['uuid', ROW[1]], ['process type', 'aiida.calculations:of.a.long.name.of.a.plugin']]
    assert format_table(rows, ['Property', 'Value']).split('\n') == [
        'type          Int',
        'uuid',
        f'  {ROW[1]}',
        'process type  aiida.calculations:of.a.',
        '              long.name.of.a.plugin',
    ]


def test_in_a_block_the_name_behind_numbers_is_the_title(columns: Callable[[int], None]) -> None:
    columns(24)
    rows = [['12,345,678', '2,500', 'data.core.folder']]
    assert format_table(rows, ['Stored', 'Nodes', 'Type'], (0, 1)).split('\n') == [
        'Type  data.core.folder',
        '  Stored  12,345,678',
        '  Nodes   2,500',
    ]
