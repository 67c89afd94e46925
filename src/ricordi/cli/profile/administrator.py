"""The administrator of a PostgreSQL server, as `--admin-uri` names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.storage.psql.provision import Administrator


def administrator_of(uri: str | None) -> Administrator | None:
    """The administrator at an address; None for none.

    :raises ricordi.errors.UsageError: it is no address of a PostgreSQL server.
    """
    if uri is None:
        return None
    from urllib.parse import unquote, urlsplit

    from ricordi.storage.psql.provision import Administrator

    wrong = UsageError('--admin-uri must look like postgresql://USER:PASSWORD@HOST:PORT/DATABASE')
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - fails here, and not below, where it is no port
        uri.encode()
    except ValueError:  # whose message would hold the password
        raise wrong from None
    if parts.scheme not in ('postgresql', 'postgres') or not uri.isprintable() or '%00' in uri:
        raise wrong
    return Administrator(
        hostname=parts.hostname,
        port=parts.port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=parts.path.lstrip('/') or 'postgres',
    )
