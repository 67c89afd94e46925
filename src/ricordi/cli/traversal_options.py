"""Options that switch the rules by which nodes go along with others, and the plan of a deletion in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import Function, option

if TYPE_CHECKING:
    from ricordi.backend.usage import Freed
    from ricordi.services.nodes.delete import DeletionPlan

DELETE_SWITCHES = {
    'call_calc_forward': 'the calculations that a deleted workflow called',
    'call_work_forward': 'the workflows that a deleted workflow called',
    'create_forward': 'the data that a deleted calculation created',
}

_RULES = {
    'input_calc_forward': 'calculations that used deleted data',
    'input_work_forward': 'workflows that used deleted data',
    'create_forward': 'data that deleted calculations created',
    'create_backward': 'calculations that created deleted data',
    'return_backward': 'workflows that returned deleted data',
    'call_calc_forward': 'calculations that deleted workflows called',
    'call_calc_backward': 'workflows that called deleted calculations',
    'call_work_forward': 'workflows that deleted workflows called',
    'call_work_backward': 'workflows that called deleted workflows',
}


def delete_switches(function: Function) -> Function:
    """`--create-forward/--no-create-forward` and so on; None where nothing was said."""
    for name, text in DELETE_SWITCHES.items():
        flag = name.replace('_', '-')
        function = option(
            f'--{flag}/--no-{flag}',
            name,
            default=None,
            group='What goes along',
            help=f'Whether to delete {text}. [default: yes]',
        )(function)
    return function


def plan_as_data(plan: DeletionPlan) -> dict[str, Any]:
    """A plan under the keys of docs/node.md."""
    return {
        'nodes': len(plan.pks),
        'named': len(plan.start),
        'by_rule': plan.by_rule,
        'by_type': plan.by_type,
        'links': plan.links,
        'group_memberships': plan.memberships,
        'comments': plan.comments,
        'logs': plan.logs,
        'remote_folders': plan.remote_folders,
        'freed': plan.freed and plan.freed._asdict(),
        'pks': list(plan.pks),
    }


def plan_as_text(plan: DeletionPlan, folders_stay: bool = True, with_pks: bool = False) -> str:
    """A plan for a person: how many of what, by which rule.

    :param folders_stay: whether folders on other machines are left alone, which is worth a word.
    :param with_pks: name each node, as `--verbose` asks for.
    """
    by_rule = [['named', f'{len(plan.start):,}', '']]
    by_rule += [[name.replace('_', '-'), f'{count:,}', _RULES[name]] for name, count in plan.by_rule.items()]
    by_type = [[name, f'{count:,}'] for name, count in plan.by_type.items()]
    beside = [
        plural(count, noun)
        for count, noun in (
            (plan.links, 'link'),
            (plan.memberships, 'group membership'),
            (plan.comments, 'comment'),
            (plan.logs, 'log message'),
        )
        if count
    ]
    parts = [
        format_table(by_rule, ('Rule', 'Nodes', ''), right=(1,)),
        format_table(by_type, ('Node type', 'Nodes'), right=(1,)),
    ]
    if with_pks:
        parts.append(f'PKs: {" ".join(map(str, plan.pks))}')
    if beside:
        parts.append(f'With them go {", ".join(beside)}.')
    if plan.freed is not None and plan.freed.objects:
        parts.append(_freed_as_text(plan.freed))
    if plan.remote_folders and folders_stay:
        parts.append(f'Folders on other machines that these nodes point at, and that stay: {plan.remote_folders:,}.')
    return '\n\n'.join(parts)


def _freed_as_text(freed: Freed) -> str:
    files = f'{plural(freed.objects, "object")}, {format_bytes(freed.bytes)}'
    if freed.exact:
        return f'The next `ricordi storage maintain --full` will free {files}.'
    return f'The next `ricordi storage maintain --full` will free at most {files}: what no other node names.'
