"""The path of a query: vertices, how they are joined, filters, projections, order; and all of it as a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import EntityKind
from ricordi.errors import QueryError, QueryTypeError
from ricordi.orm.fields import QbField
from ricordi.orm.querybuilder.entities import Selection, select_classes, select_types
from ricordi.orm.querybuilder.joins import check_keyword, default_keyword
from ricordi.orm.querybuilder.specs import (
    FilterSpec,
    OrderSpec,
    ProjectionSpec,
    normal_filters,
    normal_order,
    normal_projections,
)
from ricordi.orm.querybuilder.tags import Tags

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

_EDGE_DELIMITER = '--'


class QueryPath:
    """What is asked, in the layout of AiiDA's dictionaries; `QueryBuilder` adds the asking."""

    def __init__(
        self,
        backend: StorageBackend | None = None,
        *,
        debug: bool | None = None,
        path: Sequence[Any] | None = (),
        filters: Mapping[str, FilterSpec] | None = None,
        project: Mapping[str, ProjectionSpec] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order_by: OrderSpec | None = None,
        distinct: bool = False,
        project_map: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """
        :param backend: the storage to ask; that of the loaded profile for None.
        :param debug: without effect; scripts for AiiDA may give it.
        :param path: the vertices: classes, type strings, or dictionaries of arguments for `append`.
        :param filters: tag → filters, as for `add_filter`.
        :param project: tag → projections, as for `add_projection`.
        :param project_map: tag → field → the key under which `dict` gives its value.
        :raises ricordi.errors.QueryError: as the methods that set these one by one.
        """
        self._backend = backend if backend is not None else get_current_backend()
        self._tags = Tags()
        self._path: list[dict[str, Any]] = []
        self._filters: dict[str, dict[str, Any]] = {}
        self._projections: dict[str, list[dict[str, dict[str, str]]]] = {}
        self._project_map: dict[str, dict[str, str]] = {tag: dict(keys) for tag, keys in (project_map or {}).items()}
        self._order_by: list[dict[str, list[dict[str, dict[str, str]]]]] = []
        for vertex in _checked(path or (), Sequence, 'path', 'a list'):
            if isinstance(vertex, Mapping):
                self.append(**vertex)
            elif isinstance(vertex, str):
                self.append(entity_type=vertex)
            else:
                self.append(vertex)
        for tag, projections in _checked(project or {}, Mapping, 'project', 'a dictionary').items():
            self.add_projection(tag, projections)
        for tag, spec in _checked(filters or {}, Mapping, 'filters', 'a dictionary').items():
            self.add_filter(tag, spec)
        self.limit(limit).offset(offset).distinct(distinct)
        if order_by:
            self.order_by(order_by)

    @property
    def backend(self) -> StorageBackend:
        """The storage that is asked."""
        return self._backend

    # -- building -------------------------------------------------------------------------------------------

    def append(
        self,
        cls: Any = None,
        entity_type: str | Sequence[str] | None = None,
        tag: str | None = None,
        filters: FilterSpec | None = None,
        project: ProjectionSpec | None = None,
        subclassing: bool = True,
        edge_tag: str | None = None,
        edge_filters: FilterSpec | None = None,
        edge_project: ProjectionSpec | None = None,
        outerjoin: bool = False,
        joining_keyword: str | None = None,
        joining_value: Any = None,
        orm_base: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Add a vertex to the path and join it to one that is there.

        :param cls: a class of entities, or several of one kind.
        :param entity_type: instead of `cls`, a type string or several: `data.core.int.Int.`, `group.core`, `node` …
        :param tag: its name in this query; made up if None (`Int_1`).
        :param subclassing: whether entities of subclasses count too.
        :param edge_tag: the name of the join; `<tag joined to>--<tag>` if None.
        :param edge_filters: filters on the link, the membership or the walk between the two.
        :param outerjoin: keep what this finds no partner for; projections of this vertex are then None.
        :param orm_base: without effect: the kind of entity that `as_dict` writes out.
        :param kwargs: one joining keyword (`with_incoming`, `with_group` …) with the tag or class joined to; without
            one, a node is joined as output of the vertex before, anything else by `with_node`.
        :raises ricordi.errors.QueryError: unknown types, tags, keywords, options; nothing is added then.
        """
        if (cls is None) == (entity_type is None):
            raise QueryError('append takes either a class or entity_type, one of the two')
        selection = select_classes(cls) if cls is not None else select_types(entity_type or '')
        tag = self._vertex_tag(tag, selection)
        keyword, start = self._join(selection.kind, joining_keyword, joining_value, kwargs)
        if start is not None:
            edge_tag = edge_tag or f'{start}{_EDGE_DELIMITER}{tag}'
            self._tags.check_free(edge_tag)
        filters = {**selection.type_filter(subclassing), **(normal_filters(filters) if filters is not None else {})}
        edge_filters = normal_filters(edge_filters) if edge_filters is not None else {}
        projections = self._normal_projections(tag, project)
        edge_projections = self._normal_projections(edge_tag or '', edge_project)

        self._tags.add(tag, selection.kind, cls)
        self._filters[tag], self._projections[tag] = filters, projections
        if start is not None and edge_tag is not None:
            self._tags.add(edge_tag, None)
            self._filters[edge_tag], self._projections[edge_tag] = edge_filters, edge_projections
        self._path.append(
            {
                'entity_type': selection.types[0] if len(selection.types) == 1 else list(selection.types),
                'orm_base': selection.kind.value,
                'tag': tag,
                'joining_keyword': keyword,
                'joining_value': start,
                'edge_tag': edge_tag,
                'outerjoin': bool(outerjoin),
            }
        )
        return self

    def _vertex_tag(self, tag: str | None, selection: Selection) -> str:
        if not tag:
            return self._tags.make(selection.tag_stem)
        if _EDGE_DELIMITER in tag:
            raise QueryError(f'the tag {tag!r} has {_EDGE_DELIMITER!r} in it, which stands between the tags of an edge')
        self._tags.check_free(tag)
        return tag

    def _join(
        self, kind: EntityKind, keyword: str | None, value: Any, kwargs: Mapping[str, Any]
    ) -> tuple[str | None, str | None]:
        """The joining keyword and the tag joined to; neither for the first vertex."""
        given = [*kwargs.items(), *([(keyword, value)] if keyword else [])]
        if len(given) > 1:
            names = ', '.join(str(name) for name, _ in given)
            raise QueryError(f'a vertex is joined in one way only, not by {names}; a wrong option is taken for a join')
        for name, target in given:
            if name == 'direction' and kind is EntityKind.NODE:
                return self._join_by_direction(target)
            check_keyword(kind, str(name))
            if target is None and not self._path:
                return name, None
            return name, self._tags.find(target)
        if not self._path:
            return None, None
        return default_keyword(kind), self._path[-1]['tag']

    def _join_by_direction(self, steps: Any) -> tuple[str, str]:
        if type(steps) is not int or steps == 0 or abs(steps) > len(self._path):
            raise QueryError(
                f'direction={steps!r}: say how many vertices back, positive for outputs, negative for inputs'
            )
        return 'with_incoming' if steps > 0 else 'with_outgoing', self._path[-abs(steps)]['tag']

    def add_filter(self, tagspec: Any, filter_spec: FilterSpec) -> Self:
        """Add filters to a vertex or an edge; one on a field that has a filter takes its place.

        :param tagspec: a tag, or a class that was appended once.
        """
        filters = normal_filters(filter_spec)
        self._filters[self._tags.find(tagspec)].update(filters)
        return self

    def add_projection(self, tag_spec: Any, projection_spec: ProjectionSpec) -> None:
        """Set what is returned of a vertex or an edge: fields, nested JSON, `*` the entity itself, `**` all fields.

        :param projection_spec: a name, a field, a dictionary of name → `{'cast': …, 'func': …}`, or a list of these.
        """
        tag = self._tags.find(tag_spec)
        self._projections[tag] = self._normal_projections(tag, projection_spec)

    def _normal_projections(self, tag: str, spec: ProjectionSpec | None) -> list[dict[str, dict[str, str]]]:
        def renamed(field: QbField) -> str:
            if field.backend_key != field.key:
                self._project_map.setdefault(tag, {})[field.backend_key] = field.key
            return field.backend_key

        return [] if spec is None else normal_projections(spec, renamed)

    def order_by(self, order_by: OrderSpec) -> Self:
        """Set the order of the rows.

        :param order_by: `{tag: 'ctime'}`, `{tag: [{'ctime': 'desc'}, 'id']}`, a list of such; nested JSON needs a cast:
            `{tag: {'attributes.energy': {'cast': 'f', 'order': 'desc'}}}` (`f i b t j d`: float, int, bool, text,
            JSON, date).
        """
        self._order_by = normal_order(order_by, self._tags.find)
        return self

    def limit(self, limit: int | None) -> Self:
        """Return at most so many rows; all for None."""
        self._limit = _checked_number(limit, 'limit')
        return self

    def offset(self, offset: int | None) -> Self:
        """Leave out so many rows at the start."""
        self._offset = _checked_number(offset, 'offset')
        return self

    def distinct(self, value: bool = True) -> Self:
        """Return rows that agree in all projections once."""
        if not isinstance(value, bool):
            raise QueryTypeError(f'distinct is True or False, not {value!r}')
        self._distinct = value
        return self

    def set_debug(self, debug: bool) -> Self:
        """Without effect; scripts for AiiDA may call it."""
        return self

    def debug(self, msg: str, *objects: Any) -> None:
        """Without effect, as `set_debug`."""

    def get_used_tags(self, vertices: bool = True, edges: bool = True) -> list[str]:
        """The tags of the vertices and edges, along the path."""
        tags = []
        for place, item in enumerate(self._path):
            if vertices:
                tags.append(item['tag'])
            if edges and place:
                tags.append(item['edge_tag'])
        return tags

    # -- as a dictionary ------------------------------------------------------------------------------------

    def as_dict(self, copy: bool = True) -> dict[str, Any]:
        """The query as a dictionary in AiiDA's layout, from which `from_dict` makes the same query again."""
        data = {
            'path': self._path,
            'filters': self._filters,
            'project': self._projections,
            'project_map': self._project_map,
            'order_by': self._order_by,
            'limit': self._limit,
            'offset': self._offset,
            'distinct': self._distinct,
        }
        return deepcopy(data) if copy else data

    @property
    def queryhelp(self) -> dict[str, Any]:
        """The same as `as_dict()`, by its older name."""
        return self.as_dict()

    @classmethod
    def from_dict(cls, dct: Mapping[str, Any], backend: StorageBackend | None = None) -> Self:
        """The query that a dictionary of `as_dict` describes."""
        return cls(backend, **dct)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(self._backend, **self.as_dict())

    def __repr__(self) -> str:
        arguments = ', '.join(f'{name}={value!r}' for name, value in self.as_dict(copy=False).items())
        return f'{type(self).__name__}({arguments})'


def _checked(value: Any, kind: type, name: str, wanted: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, str):
        raise QueryTypeError(f'{name} is {wanted}, not {value!r}')
    return value


def _checked_number(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise QueryTypeError(f'{name} is a whole number or None, not {value!r}')
    if value < 0:
        raise QueryError(f'{name} cannot be negative: {value}')
    return value
