"""A node that holds one file."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from pathlib import Path, PurePath
from typing import IO, Any, BinaryIO, Literal, Self, TextIO, overload

from ricordi.errors import ValidationError, WrongType
from ricordi.orm.data.data import Data


class SinglefileData(Data, node_type='data.core.singlefile.SinglefileData.'):
    """One file; its name is the attribute `filename`."""

    DEFAULT_FILENAME = 'file.txt'

    def __init__(
        self,
        file: str | Path | IO[Any] | None = None,
        filename: str | PurePath | None = None,
        content: str | IO[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        :param file: absolute path of a file, or a stream.
        :param filename: the name in the node; by default that of the file.
        :param content: text or a stream, in place of `file`.
        """
        super().__init__(**kwargs)
        if file is not None and content is not None:
            raise ValueError('give either file or content, not both')
        if content is not None:
            file = io.StringIO(str(content)) if isinstance(content, str | PurePath) else content
        if file is not None:
            self.set_file(file, filename)

    @classmethod
    def from_string(cls, content: str, filename: str | PurePath | None = None, **kwargs: Any) -> Self:
        """A node whose file holds this text, encoded as UTF-8."""
        return cls(io.StringIO(content), filename, **kwargs)

    @classmethod
    def from_bytes(cls, content: bytes, filename: str | PurePath | None = None, **kwargs: Any) -> Self:
        """A node whose file holds these bytes."""
        return cls(io.BytesIO(content), filename, **kwargs)

    @property
    def filename(self) -> str:
        """The name of the file in the node."""
        return str(self.base.attributes.get('filename'))

    @property
    def content(self) -> bytes:
        """The content of the file."""
        return self.get_content('rb')

    @overload
    def open(self, path: str | PurePath | None = None, mode: Literal['r'] = 'r') -> TextIO: ...

    @overload
    def open(self, path: str | PurePath | None = None, *, mode: Literal['rb']) -> BinaryIO: ...

    @overload
    def open(self, path: str | PurePath | None, mode: Literal['rb']) -> BinaryIO: ...

    def open(self, path: str | PurePath | None = None, mode: Literal['r', 'rb'] = 'r') -> TextIO | BinaryIO:
        """A stream over the file, to be closed or used as a context manager.

        :param mode: `r` for text, `rb` for bytes.
        """
        return self.base.repository.open(self.filename if path is None else path, mode)

    def as_path(self) -> AbstractContextManager[Path]:
        """The file as a temporary copy on disk, gone when the context ends."""
        return self.base.repository.as_path(self.filename)

    @overload
    def get_content(self, mode: Literal['r'] = 'r') -> str: ...

    @overload
    def get_content(self, mode: Literal['rb']) -> bytes: ...

    def get_content(self, mode: Literal['r', 'rb'] = 'r') -> str | bytes:
        """The content of the file: text for mode `r`, bytes for `rb`."""
        return self.base.repository.get_object_content(self.filename, mode)

    def set_file(self, file: str | Path | IO[Any], filename: str | PurePath | None = None) -> None:
        """Put this file in place of what the node holds.

        :param file: absolute path of a file, or a stream.
        :param filename: the name in the node; by default that of the file.
        :raises ValueError: the path is not absolute, or there is no file.
        """
        repository = self.base.repository
        if isinstance(file, str | PurePath):
            path = Path(file)
            if not path.is_absolute():
                raise ValidationError(f'the path of the file must be absolute, got {str(file)!r}')
            if not path.is_file():
                raise ValidationError(f'there is no file {path}')
            name = str(filename) if filename is not None else path.name
            repository.put_object_from_file(path, name)
        else:
            if not hasattr(file, 'read'):
                raise WrongType(f'a path or a stream is needed, got {file!r}')
            given = getattr(file, 'name', None)
            own = PurePath(given).name if isinstance(given, str) else ''
            name = str(filename) if filename is not None else own or self.DEFAULT_FILENAME
            repository.put_object_from_filelike(file, name)
        for other in repository.list_objects():
            if other.is_file() and other.name != name:
                repository.delete_object(other.name)
        self.base.attributes.set('filename', name)

    def attach_file(self, filepath: str, fileobj: IO[Any]) -> None:
        """Put this file in place of what the node holds."""
        self.set_file(fileobj, filepath)

    def _validate(self) -> None:
        super()._validate()
        objects = self.base.repository.list_objects()
        if len(objects) != 1 or objects[0].is_dir():
            names = ', '.join(entry.name for entry in objects) or 'nothing'
            raise ValidationError(f'{self!r} holds exactly one file, at the top; found: {names}')
        if self.row.attributes.get('filename') != objects[0].name:
            self.base.attributes.set('filename', objects[0].name)
