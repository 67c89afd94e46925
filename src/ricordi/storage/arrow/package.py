"""The package that record batches need, which not everybody has."""

from __future__ import annotations

from ricordi.errors import InvalidOperation
from ricordi.installing import way_to_install


def check_pyarrow() -> None:
    """See that the package is there.

    :raises ricordi.errors.InvalidOperation: it is not installed.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise InvalidOperation(
            f'tables of Arrow and Parquet need pyarrow, which is not installed: {way_to_install("pyarrow")}'
        ) from None
