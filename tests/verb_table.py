"""Every verb with a command line that works on the reference profile `mixed`, and what kind of verb it is.

Rules that hold for all verbs are tested over this table; a verb that is not in it fails the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal['shows', 'lists names', 'gives content', 'changes', 'makes', 'needs more']
"""What a verb does: `gives content` writes bytes or text of one form; `makes` prints what it made; `needs more`
is not run here, for it needs a server, another machine, a backup or a terminal."""


@dataclass(frozen=True)
class VerbCase:
    """A verb on the reference profile.

    :param arguments: what follows the verb; `{archive}`, `{tmp}` stand for the reference archive and an empty folder.
    :param destroys: whether it takes something away, or overwrites it.
    """

    arguments: tuple[str, ...]
    kind: Kind
    destroys: bool = False


QUERY = {
    'path': [{'entity_type': 'node', 'orm_base': 'node', 'tag': 'n', 'joining_keyword': None,
              'joining_value': None, 'edge_tag': None, 'outerjoin': False}],
    'project': {'n': [{'id': {}}]}, 'limit': 3,
}  # fmt: skip
"""What `{query}` stands for."""

VERBS: dict[str, VerbCase] = {
    'profile list': VerbCase((), 'lists names'),
    'profile show': VerbCase((), 'shows'),
    'profile set-default': VerbCase(('mixed',), 'changes'),
    'profile use-backend': VerbCase(('mixed', 'ricordi'), 'changes'),
    'profile setup core.sqlite_dos': VerbCase(('--profile-name', 'new', '--email', 'a@b.c', '-n'), 'changes'),
    'profile setup core.psql_dos': VerbCase((), 'needs more'),
    'profile setup ricordi.psql_bucket': VerbCase((), 'needs more'),
    'profile setup core.sqlite_zip': VerbCase(
        ('--profile-name', 'new', '--email', 'a@b.c', '--filepath', '{archive}', '-n'), 'changes'
    ),
    'profile delete': VerbCase(('--delete-data', '--yes', 'loose'), 'changes', destroys=True),
    'profile dump': VerbCase(('--all', '--path', '{tmp}/dump'), 'changes'),
    'storage info': VerbCase((), 'shows'),
    'storage version': VerbCase((), 'shows'),
    'storage migrate': VerbCase((), 'changes', destroys=True),
    'storage maintain': VerbCase(('--full', '--yes'), 'changes', destroys=True),
    'storage usage': VerbCase((), 'shows'),
    'storage index list': VerbCase((), 'shows'),
    'storage index add': VerbCase(('extras.other',), 'changes'),
    'storage index drop': VerbCase((), 'needs more'),
    'storage index suggest': VerbCase((), 'shows'),
    'storage report': VerbCase((), 'needs more'),
    'storage verify': VerbCase((), 'changes'),
    'storage backup': VerbCase(('{tmp}/backup', '--tag', 'x'), 'changes'),
    'storage snapshots': VerbCase((), 'needs more'),
    'storage forget': VerbCase((), 'needs more', destroys=True),
    'storage restore': VerbCase((), 'needs more'),
    'storage repair': VerbCase(('--yes',), 'changes'),
    'storage locks': VerbCase((), 'shows'),
    'storage unlock': VerbCase(('--yes',), 'changes', destroys=True),
    'node list': VerbCase((), 'lists names'),
    'node show': VerbCase(('57',), 'shows'),
    'node attributes': VerbCase(('57',), 'shows'),
    'node extras show': VerbCase(('1',), 'shows'),
    'node extras set': VerbCase(('1', 'x=1'), 'changes'),
    'node extras unset': VerbCase(('1', '-k', 'score', '--yes'), 'changes', destroys=True),
    'node label': VerbCase(('1', '2'), 'lists names', destroys=True),
    'node description': VerbCase(('1', '2'), 'lists names', destroys=True),
    'node graph generate': VerbCase(('4', '-O', '-'), 'gives content'),
    'node tree': VerbCase(('4',), 'shows'),
    'node delete': VerbCase(('--yes', '4'), 'changes', destroys=True),
    'node rehash': VerbCase(('--yes', '1'), 'changes', destroys=True),
    'node comment add': VerbCase(('-N', '1', '--', 'text'), 'changes'),
    'node comment show': VerbCase(('1',), 'shows'),
    'node comment update': VerbCase(('1', 'text'), 'changes'),
    'node comment remove': VerbCase(('1', '--yes'), 'changes', destroys=True),
    'node repo ls': VerbCase(('51',), 'shows'),
    'node repo cat': VerbCase(('52',), 'gives content'),
    'node repo dump': VerbCase(('51', '{tmp}/files'), 'changes'),
    'data core.array show': VerbCase(('44',), 'gives content'),
    'data core.cif list': VerbCase((), 'needs more'),
    'data core.cif content': VerbCase((), 'needs more'),
    'data core.cif export': VerbCase((), 'needs more'),
    'data core.dict show': VerbCase(('50',), 'gives content'),
    'data core.remote show': VerbCase(('56',), 'shows'),
    'data core.singlefile content': VerbCase(('52',), 'gives content'),
    'data core.structure list': VerbCase((), 'lists names'),
    'data core.structure show': VerbCase(('45',), 'shows'),
    'data core.structure export': VerbCase(('45',), 'gives content'),
    'data core.trajectory list': VerbCase((), 'needs more'),
    'data core.trajectory export': VerbCase((), 'needs more'),
    'data core.upf export': VerbCase((), 'needs more'),
    'data core.upf exportfamily': VerbCase((), 'needs more'),
    'data core.upf listfamilies': VerbCase((), 'needs more'),
    'group list': VerbCase(('-a', '-A'), 'lists names'),
    'group show': VerbCase(('numbers',), 'lists names'),
    'group create': VerbCase(('new',), 'makes'),
    'group relabel': VerbCase(('numbers', 'other'), 'changes'),
    'group description': VerbCase(('numbers',), 'shows'),
    'group add-nodes': VerbCase(('-G', 'numbers', '1'), 'changes'),
    'group remove-nodes': VerbCase(('-G', 'numbers', '--clear', '--yes'), 'changes', destroys=True),
    'group move-nodes': VerbCase(('-s', 'numbers', '-t', 'empty', '--all', '--yes'), 'changes', destroys=True),
    'group copy': VerbCase(('numbers', 'new'), 'changes'),
    'group delete': VerbCase(('numbers', '--yes'), 'changes', destroys=True),
    'group dump': VerbCase(('numbers', '--path', '{tmp}/dump'), 'changes'),
    'group path ls': VerbCase((), 'shows'),
    'node logs': VerbCase(('57',), 'shows'),
    'process list': VerbCase(('-a',), 'lists names'),
    'process show': VerbCase(('57',), 'shows'),
    'process report': VerbCase(('57',), 'shows'),
    'process status': VerbCase(('21',), 'shows'),
    'process call-root': VerbCase(('26',), 'shows'),
    'process dump': VerbCase(('21', '--path', '{tmp}/dump'), 'changes'),
    'calcjob inputls': VerbCase(('57',), 'shows'),
    'calcjob inputcat': VerbCase(('57',), 'gives content'),
    'calcjob outputls': VerbCase(('57',), 'shows'),
    'calcjob outputcat': VerbCase(('57',), 'gives content'),
    'calcjob res': VerbCase(('60',), 'shows'),
    'code list': VerbCase((), 'lists names'),
    'code show': VerbCase(('pw@cluster',), 'shows'),
    'code export': VerbCase(('pw@cluster', '{tmp}/code.yaml'), 'changes'),
    'config list': VerbCase((), 'lists names'),
    'config get': VerbCase(('daemon.timeout',), 'shows'),
    'config show': VerbCase(('daemon.timeout',), 'shows'),
    'config set': VerbCase(('daemon.timeout', '7'), 'changes'),
    'config unset': VerbCase(('warnings.showdeprecations', '-g'), 'changes'),
    'shell': VerbCase((), 'needs more'),
    'computer list': VerbCase(('-a',), 'lists names'),
    'computer show': VerbCase(('cluster',), 'shows'),
    'computer setup': VerbCase(
        ('-n', '-L', 'new', '-H', 'new.example.org', '-T', 'core.local', '-S', 'core.direct'), 'changes'
    ),
    'computer duplicate': VerbCase(('cluster', '-n', '-L', 'new'), 'changes'),
    'computer configure show': VerbCase(('cluster',), 'shows'),
    'computer configure core.local': VerbCase(('localhost', '-n'), 'changes'),
    'computer configure core.ssh': VerbCase(('bare', '-n', '--username', 'ada'), 'changes'),
    'computer configure core.ssh_async': VerbCase((), 'needs more'),
    'computer test': VerbCase((), 'needs more'),
    'computer goto': VerbCase((), 'needs more'),
    'computer enable': VerbCase(('cluster',), 'changes'),
    'computer disable': VerbCase(('cluster',), 'changes'),
    'computer relabel': VerbCase(('cluster', 'other'), 'changes'),
    'computer delete': VerbCase(('bare', '--yes'), 'changes', destroys=True),
    'computer export setup': VerbCase(('cluster', '{tmp}/setup.yaml'), 'changes'),
    'computer export config': VerbCase(('cluster', '{tmp}/config.yaml'), 'changes'),
    'user list': VerbCase((), 'lists names'),
    'user configure': VerbCase(('--email', 'new@b.c', '-n'), 'changes'),
    'user set-default': VerbCase(('bob@example.org',), 'changes'),
    'archive create': VerbCase(('{tmp}/new.aiida', '--nodes', '1'), 'changes'),
    'archive import': VerbCase(('{archive}',), 'changes'),
    'archive info': VerbCase(('{archive}',), 'shows'),
    'archive version': VerbCase(('{archive}',), 'shows'),
    'archive migrate': VerbCase(('{archive}', '{tmp}/new.aiida'), 'changes'),
    'query': VerbCase(('{query}',), 'lists names'),
    'presto': VerbCase(('--profile-name', 'new', '--email', 'a@b.c'), 'changes'),
    'status': VerbCase((), 'shows'),
    'tour': VerbCase(('--nodes', '10'), 'changes'),
    'completion': VerbCase(('bash',), 'gives content'),
}
