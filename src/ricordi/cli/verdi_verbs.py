"""The verbs of verdi 2.9 that are about what is stored, for the page that sets them against ours."""

from __future__ import annotations

VERBS = (
    'presto',
    'status',
    'profile delete',
    'profile dump',
    'profile list',
    'profile set-default',
    'profile setup core.psql_dos',
    'profile setup core.sqlite_dos',
    'profile setup core.sqlite_zip',
    'profile show',
    'storage backup',
    'storage info',
    'storage maintain',
    'storage migrate',
    'storage version',
    'node attributes',
    'node comment add',
    'node comment remove',
    'node comment show',
    'node comment update',
    'node delete',
    'node description',
    'node extras',
    'node graph generate',
    'node label',
    'node list',
    'node rehash',
    'node repo cat',
    'node repo dump',
    'node repo ls',
    'node show',
    'group add-nodes',
    'group copy',
    'group create',
    'group delete',
    'group description',
    'group dump',
    'group list',
    'group move-nodes',
    'group path ls',
    'group relabel',
    'group remove-nodes',
    'group show',
    'process call-root',
    'process dump',
    'process kill',
    'process list',
    'process pause',
    'process play',
    'process repair',
    'process report',
    'process show',
    'process status',
    'process watch',
    'calcjob cleanworkdir',
    'calcjob gotocomputer',
    'calcjob inputcat',
    'calcjob inputls',
    'calcjob outputcat',
    'calcjob outputls',
    'calcjob remotecat',
    'calcjob res',
    'code create',
    'code delete',
    'code duplicate',
    'code export',
    'code hide',
    'code list',
    'code relabel',
    'code reveal',
    'code show',
    'code test',
    'config caching',
    'config downgrade',
    'config get',
    'config list',
    'config set',
    'config show',
    'config unset',
    'shell',
    'computer configure show',
    'computer configure core.local',
    'computer configure core.ssh',
    'computer configure core.ssh_async',
    'computer delete',
    'computer disable',
    'computer duplicate',
    'computer enable',
    'computer export config',
    'computer export setup',
    'computer goto',
    'computer list',
    'computer relabel',
    'computer setup',
    'computer show',
    'computer test',
    'user configure',
    'user list',
    'user set-default',
    'archive create',
    'archive import',
    'archive info',
    'archive migrate',
    'archive version',
)

CALLED_HERE = {'node extras': 'node extras show'}
"""Verbs that have become a noun here, with the verb that does the same."""


def table(ours: dict[str, str]) -> str:
    """Verb by verb: verdi's, ours, what it does.

    :param ours: the verbs of this program with their lines of help.
    """
    rows = []
    for name in VERBS:
        here = CALLED_HERE.get(name, name)
        rows.append(
            f'| `verdi {name}` | `ricordi {here}` | {ours[here]} |' if here in ours else f'| `verdi {name}` | – | |'
        )
    known = {CALLED_HERE.get(name, name) for name in VERBS}
    rows += [f'| – | `ricordi {name}` | {line} |' for name, line in ours.items() if name not in known]
    return '\n'.join(['| verdi | ricordi | |', '|---|---|---|', *rows])
