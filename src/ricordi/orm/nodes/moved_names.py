"""Methods of nodes and groups that AiiDA 2 has moved into `base`: the old names still work, with a warning."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ricordi.orm.entities import Entity


def _json_names(singular: str, plural: str) -> dict[str, str]:
    return {
        plural: f'{plural}.all',
        f'get_{singular}': f'{plural}.get',
        f'get_{singular}_many': f'{plural}.get_many',
        f'set_{singular}': f'{plural}.set',
        f'set_{singular}_many': f'{plural}.set_many',
        f'reset_{plural}': f'{plural}.reset',
        f'delete_{singular}': f'{plural}.delete',
        f'delete_{singular}_many': f'{plural}.delete_many',
        f'clear_{plural}': f'{plural}.clear',
        f'{plural}_items': f'{plural}.items',
        f'{plural}_keys': f'{plural}.keys',
    }


EXTRAS = _json_names('extra', 'extras')

_FILE_NAMES = (
    'copy_tree',
    'delete_object',
    'get_object',
    'get_object_content',
    'glob',
    'list_objects',
    'list_object_names',
    'open',
    'put_object_from_filelike',
    'put_object_from_file',
    'put_object_from_tree',
    'walk',
)
_LINK_NAMES = (
    'add_incoming',
    'validate_incoming',
    'validate_outgoing',
    'get_stored_link_triples',
    'get_incoming',
    'get_outgoing',
)
_CACHING_NAMES = ('get_hash', 'rehash', 'clear_hash', 'get_cache_source', 'is_created_from_cache', 'is_valid_cache')

MOVED: dict[str, str] = {
    **EXTRAS,
    **_json_names('attribute', 'attributes'),
    **{name: f'repository.{name}' for name in _FILE_NAMES},
    **{name: f'links.{name}' for name in _LINK_NAMES},
    **{name: f'caching.{name}' for name in _CACHING_NAMES},
    'repository_metadata': 'repository.metadata',
    'add_comment': 'comments.add',
    'get_comment': 'comments.get',
    'get_comments': 'comments.all',
    'remove_comment': 'comments.remove',
    'update_comment': 'comments.update',
}
"""Old name → where it is now, below `base`."""


def moved(entity: Entity, name: str, names: dict[str, str] = MOVED) -> Any:
    """What an old name stands for.

    :raises AttributeError: it stands for nothing.
    """
    place = names.get(name)
    if place is None:
        raise AttributeError(f'{type(entity).__name__!r} object has no attribute {name!r}')
    warnings.warn(f'`{name}` has moved: use `base.{place}`', DeprecationWarning, stacklevel=3)
    namespace, _, attribute = place.partition('.')
    base: Any = entity.base  # type: ignore[attr-defined]
    return getattr(getattr(base, namespace), attribute)
