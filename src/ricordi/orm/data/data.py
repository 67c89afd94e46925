"""The base of all data nodes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ricordi.backend.rows import JsonDict
from ricordi.errors import InvalidOperation, NotExistentKeyError, ValidationError
from ricordi.model.links import LinkType
from ricordi.orm.nodes.node import Node
from ricordi.orm.values import copy_json

if TYPE_CHECKING:
    from ricordi.orm.processes.process import ProcessNode


class Data(Node, node_type='data.Data.'):
    """A piece of data. Also what a data type loads as whose plug-in is not installed."""

    _family: ClassVar[str] = 'data'
    _storable = True
    _source_attributes = ('db_name', 'db_uri', 'uri', 'id', 'version', 'extras', 'source_md5', 'description', 'license')

    def __init__(self, *args: Any, source: JsonDict | None = None, **kwargs: Any) -> None:
        """A new data node, to be stored.

        :param source: where the data is from.
        :param kwargs: as of `Node`: `label`, `description`, `user`, `computer`, `extras`, `backend`.
        """
        super().__init__(*args, **kwargs)
        if source is not None:
            self.source = source

    @property
    def source(self) -> JsonDict | None:
        """Where the data is from: `db_name, db_uri, uri, id, version, extras, source_md5, description, license`."""
        value: JsonDict | None = self.base.attributes.get('source', None)
        return value

    @source.setter
    def source(self, source: JsonDict) -> None:
        if not isinstance(source, dict):
            raise ValidationError(f'source is a dict, got {source!r}')
        unknown = [key for key in source if key not in self._source_attributes]
        if unknown:
            raise NotExistentKeyError(
                f'source has no {", ".join(map(repr, unknown))}; it has: {", ".join(self._source_attributes)}'
            )
        self.base.attributes.set('source', source)

    def set_source(self, source: JsonDict) -> None:
        """Set where the data is from."""
        self.source = source

    @property
    def creator(self) -> ProcessNode | None:
        """The calculation that made this; None if it was made by hand."""
        link = self.base.links.get_incoming(link_type=LinkType.CREATE).first()
        return link.node if link else None  # type: ignore[return-value]

    def clone(self) -> Self:
        """A new node with the same content, not stored yet; extras, comments and links are not taken along."""
        clone = type(self).__new__(type(self))
        row = self.row
        Node.__init__(clone, self.backend, label=row.label, description=row.description)
        clone.row.node_type = row.node_type
        clone.row.computer_pk = row.computer_pk
        clone.row.user_pk = row.user_pk
        clone.row.attributes = copy_json(row.attributes) if self.is_stored else copy.deepcopy(row.attributes)
        clone.base.repository.copy_from(self.base.repository)
        return clone

    def __deepcopy__(self, memo: Any) -> Self:
        return self.clone()

    # -- other formats --------------------------------------------------------------------------------------

    @classmethod
    def get_export_formats(cls) -> list[str]:
        """The formats this can be written in: a class offers one by a method `_prepare_<format>`."""
        return _formats(cls, '_prepare_')

    def export(
        self, path: str | Path, fileformat: str | None = None, overwrite: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write this to a file in another format; returns the paths that were written.

        :param fileformat: by default the extension of `path`.
        :param overwrite: replace what is there.
        :raises FileExistsError: there is a file, and `overwrite` is False.
        """
        target = Path(path)
        fileformat = fileformat or target.suffix.removeprefix('.')
        content, others = self._method('_prepare_', fileformat)(main_file_name=str(path), **kwargs)
        files = {**{Path(name): extra for name, extra in others.items()}, target: content}
        for name in files:
            if name.exists() and not overwrite:
                raise FileExistsError(f'{name} exists; pass overwrite=True to replace it')
        for name, extra in files.items():
            name.write_bytes(extra)
        return [str(name) for name in files]

    def importstring(self, inputstring: str, fileformat: str, **kwargs: Any) -> None:
        """Fill this with what a text in another format says."""
        self._method('_parse_', fileformat)(inputstring, **kwargs)

    def importfile(self, fname: str | Path, fileformat: str | None = None) -> None:
        """Fill this with what a file in another format says."""
        path = Path(fname)
        self.importstring(path.read_text('utf-8'), fileformat or path.suffix.removeprefix('.'))

    def convert(self, object_format: str | None = None, *args: Any) -> Any:
        """This as an object of another library; a class offers one by a method `_get_object_<format>`."""
        return self._method('_get_object_', object_format or '')(*args)

    def _method(self, prefix: str, fileformat: str) -> Any:
        formats = _formats(type(self), prefix)
        if fileformat not in formats:
            raise InvalidOperation(
                f'{type(self).__name__} does not know the format {fileformat!r}, only: {", ".join(formats) or "none"}'
            )
        return getattr(self, prefix + fileformat)


def _formats(cls: type, prefix: str) -> list[str]:
    return sorted(name.removeprefix(prefix) for name in dir(cls) if name.startswith(prefix))
