"""What archives of all versions say of themselves, in zip and in tar files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from ricordi.errors import CorruptStorage
from ricordi.storage.archive.file import is_tar, read_metadata
from ricordi.zipfiles.directory import ZipDirectory

KEPT_NOT = ('unique_identifiers', 'all_fields_info', 'export_parameters')


def metadata_of(path: Path) -> dict[str, Any]:
    """The content of `metadata.json`; its `export_version` is a text.

    :raises ricordi.errors.StorageError: there is no archive at `path`.
    """
    try:
        with closing(ZipDirectory(path)) as directory:
            return read_metadata(directory)
    except CorruptStorage:
        if not is_tar(path):
            raise
    from ricordi.storage.archive.legacy.tar_file import metadata_of_tar

    return metadata_of_tar(path)


def as_today(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata of an old archive as those of AiiDA 2 are: without the description of fields."""
    kept = {key: value for key, value in metadata.items() if key not in KEPT_NOT}
    return {**kept, 'creation_parameters': metadata.get('export_parameters', {}), 'key_format': 'sha256'}
