"""`ricordi node rehash`: compute the hashes by which AiiDA's caching finds nodes."""

from __future__ import annotations

from ricordi.cli.identifiers import nodes_argument, read_identifiers_or_end
from ricordi.cli.opened import opened
from ricordi.cli.parameters import NODE_TYPE
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.verb import option, verb, yes_option
from ricordi.errors import InvalidOperation, NotExistent


@verb('ricordi node rehash --yes 42', 'ricordi node rehash --yes -e core.dict')
@nodes_argument(required=False)
@option(
    '--entry-point',
    '-e',
    'types',
    type=NODE_TYPE,
    multiple=True,
    metavar='TYPE',
    help='Only nodes of this type, such as core.dict or CalcJobNode.',
)
@option('--dry-run', '-n', is_flag=True, help='Tell how many hashes would change and change nothing.')
@yes_option()
def rehash(session: CommandSession, nodes: tuple[str, ...], types: tuple[str, ...], dry_run: bool, yes: bool) -> int:
    """Compute the hashes of nodes anew, all without NODES.

    The hashes are those of aiida-core 2.9. Nodes whose type comes from a plug-in are left as they are: their class is
    part of the hash, and only AiiDA knows it. So are the processes that have such a node as an input.
    """
    from ricordi.cli.terminal.long_work import long_work
    from ricordi.progress import Stop
    from ricordi.services.nodes.finding import find_pks
    from ricordi.services.nodes.rehash import find_to_rehash, rehash_nodes

    identifiers = read_identifiers_or_end(session, nodes, needed=False)
    stop = Stop()
    with opened(session, 'node rehash') as storage:
        pks = find_to_rehash(storage, find_pks(storage, identifiers) if identifiers else None, types)
        if not pks:
            raise NotExistent('no node fits: there is nothing to rehash')
        if not dry_run and not confirm(f'Compute and overwrite the hash of {plural(len(pks), "node")}?', yes):
            raise InvalidOperation('no hash was changed')
        with long_work(session, stop, writes=not dry_run) as run:
            report = rehash_nodes(storage, pks, dry_run, run)
    changed = f'{"would change" if dry_run else "changed"}: {report.changed:,}'
    session.tell(f'{plural(report.total, "node")}; hashes that {changed}, that were right: {report.same:,}.')
    if report.unknown:
        session.tell(
            f'{plural(report.unknown, "node")} of types of plug-ins, or with inputs of such, were left as they are.'
        )
    return 0
