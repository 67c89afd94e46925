"""`ricordi node comment`: add, remove, show, update."""

from __future__ import annotations

import sys

import click

from ricordi.cli.identifiers import STDIN, nodes_argument, read_identifiers, read_identifiers_or_end, text_of_stdin
from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import NODE, USER
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, keys_of, one_line, write_list
from ricordi.cli.terminal.prompt import confirm, is_interactive
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import InvalidOperation, NotExistent, UsageError, WrongValue


@verb(
    "ricordi node comment add -N 42 43 -- 'the basis set is too small'",
    'echo "checked by hand" | ricordi node comment add -N 42 -- -',
)
@several('--nodes', '-N', required=True, type=NODE, help='The nodes, or - for standard input.')
@click.argument('content', required=False)
def add(session: CommandSession, nodes: tuple[str, ...], content: str | None) -> int:
    """Write a comment about nodes.

    CONTENT is the text, or - for standard input. Without it, an editor is opened on a terminal.
    """
    from ricordi.services.nodes.comments import add_comments
    from ricordi.services.nodes.finding import find_pks

    if content == STDIN and STDIN in nodes:
        raise UsageError('the nodes and the text cannot both come from standard input')
    identifiers = read_identifiers_or_end(session, nodes)
    text = _given(content)
    with opened(session, 'node comment add') as storage:
        try:
            pks = find_pks(storage, identifiers)
        except (WrongValue, NotExistent) as error:
            if content is not None or len(nodes) == 1:
                raise
            raise UsageError(
                f'{error} (-N takes all that follows it, up to the next option: put `--` before the text of the '
                'comment, or the text first)'
            ) from None
        added = add_comments(storage, pks, text if text is not None else _edit(''))
    session.tell(f'Added {plural(len(added), "comment")}: {", ".join(map(str, added[:10]))}{" …" * (len(added) > 10)}.')
    return 0


@verb('ricordi node comment show 42', 'ricordi node comment show -u ada@example.org 42 --format json')
@nodes_argument()
@option('--user', '-u', type=USER, help='Only the comments of this user.')
@format_option()
def show(session: CommandSession, nodes: tuple[str, ...], user: str | None, output_format: str | None) -> int:
    """Show the comments of nodes."""
    from dataclasses import asdict

    from ricordi.services.nodes.comments import CommentDetails, show_comments
    from ricordi.services.nodes.finding import find_pks

    identifiers = read_identifiers(session, nodes)
    with opened(session, 'node comment show') as storage:
        found = show_comments(storage, find_pks(storage, identifiers), user)
    if output_format is not None:
        keys = ('pk', 'node_pk', 'user', 'ctime', 'mtime', 'content')
        columns = [OutputColumn(key, key, local_time if key.endswith('time') else None) for key in keys]
        write_list(map(asdict, found), columns, output_format, keys_of(CommentDetails))
        return 0
    for comment in found:
        made, changed = local_time(comment.ctime), local_time(comment.mtime)
        when = made if made == changed else f'{made}, changed {changed}'
        print(prose(f'Comment {comment.pk} on node {comment.node_pk} by {comment.user}, {when}\n'))
        print(prose('\n'.join(map(one_line, comment.content.splitlines())) + '\n'))
    if not found and identifiers:
        session.tell('No comments.')
    return 0


@verb("ricordi node comment update 7 'the cutoff is too low'")
@click.argument('comment_id', type=int)
@click.argument('content', required=False)
def update(session: CommandSession, comment_id: int, content: str | None) -> int:
    """Replace the text of a comment.

    CONTENT is the new text, or - for standard input. Without it, an editor is opened with the old text on a terminal.
    """
    from ricordi.services.nodes.comments import get_comment, update_comment

    text = _given(content)
    with opened(session, 'node comment update') as storage:
        before = get_comment(storage, comment_id).content
        update_comment(storage, comment_id, text if text is not None else _edit(before))
    session.tell(f'Changed comment {comment_id}.')
    return 0


@verb('ricordi node comment remove --yes 7')
@click.argument('comment_id', type=int)
@option('--dry-run', '-n', is_flag=True, help='Tell what would be removed and remove nothing.')
@yes_option()
def remove(session: CommandSession, comment_id: int, dry_run: bool, yes: bool) -> int:
    """Remove a comment."""
    from ricordi.services.nodes.comments import get_comment, remove_comment

    with opened(session, 'node comment remove') as storage:
        comment = get_comment(storage, comment_id)
        what = f'comment {comment_id} of {comment.user} on node {comment.node_pk}'
        if dry_run:
            session.tell(f'Would remove {what}.')
            return 0
        if not confirm(f'Remove {what}?', yes):
            raise InvalidOperation(f'{what} was not removed')
        remove_comment(storage, comment_id)
    session.tell(f'Removed {what}.')
    return 0


def _given(content: str | None) -> str | None:
    """The text that was given, that of standard input in the place of a `-`; None where an editor is to be opened.

    :raises ricordi.errors.UsageError: standard input is closed, a terminal, empty, or no text.
    """
    if content != STDIN:
        return content
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError('`-` reads the comment from standard input: pipe it in')
    written = text_of_stdin().strip()
    if not written:
        raise UsageError('the comment is empty: nothing came on standard input')
    return written


def _edit(text: str) -> str:
    """What a person writes in an editor.

    :raises ricordi.errors.UsageError: there is no terminal, or nothing was written.
    """
    if not is_interactive():
        raise UsageError('give the text of the comment as CONTENT: there is no terminal to open an editor on')
    written = click.edit(text)
    if written is None or not written.strip():
        raise UsageError('the comment is empty: nothing was written')
    return written.strip()
