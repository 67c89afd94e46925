"""What is at hand in a shell that works on a profile."""

from __future__ import annotations

from typing import Any

_ORM = (
    *('AuthInfo', 'Bool', 'CalcFunctionNode', 'CalcJobNode', 'CalculationNode', 'Code', 'Computer', 'Data', 'Dict'),
    *('Float', 'Group', 'Int', 'List', 'Node', 'ProcessNode', 'QueryBuilder', 'Str', 'User', 'WorkChainNode'),
    *('WorkFunctionNode', 'WorkflowNode', 'load_code', 'load_computer', 'load_group', 'load_node'),
)
"""What verdi's shell has at hand, too; all else is in `orm`, and its factories in `ricordi.plugins`."""


def shell_names() -> dict[str, Any]:
    """The names of a shell: those of AiiDA's, over the storage of the profile that is loaded, which is at hand too.

    :raises ricordi.errors.RicordiError: the storage cannot be opened.
    """
    from ricordi import orm
    from ricordi.manager import get_manager
    from ricordi.model.links import LinkType

    return {
        '__name__': '__main__',
        'orm': orm,
        'storage': get_manager().get_profile_storage(),
        'LinkType': LinkType,
        **{name: getattr(orm, name) for name in _ORM},
    }
