"""Tables of text."""

from ricordi.cli.terminal.table import format_table
from ricordi.cli.terminal.widths import display_width


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
