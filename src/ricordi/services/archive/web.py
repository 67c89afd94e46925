"""Archives on the web: the addresses that a page points at, and the download of one into a file."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ricordi.errors import Interrupted, NotEnoughSpace, UnreachableAddress
from ricordi.files import format_bytes, free_bytes
from ricordi.progress import Run
from ricordi.services.addresses import is_address

ENDING = '.aiida'
CHUNK_BYTES = 1 << 16
LONGEST_PAGE = 32 << 20
PATIENCE = 60.0
"""Seconds that a server may stay silent."""
PAGE_SECONDS = 120.0
"""Seconds that a page may take in all."""
LEAST_SECONDS = 3600.0
SLOWEST = 10_000
"""An archive may take an hour in all, or longer where it has so many seconds' worth of bytes at this rate."""
_LONGEST_ADDRESS = 8192
_LONGEST_NUMBER = 19
_NUMBERED = re.compile(r'&#([xX][0-9a-fA-F]|[0-9])[0-9a-fA-F]{8,};?')
"""The number of a character that there cannot be; Python reads none of some thousand digits."""


def archives_of_page(address: str) -> list[str]:
    """The addresses ending in `.aiida` that a web page points at, each once, in their order.

    :raises ricordi.errors.UnreachableAddress: the page cannot be had, or points at no archive.
    """
    text, base = _page(address)
    links = _Links()
    links.feed(_NUMBERED.sub('\ufffd', text))
    found = [target for link in links.found if (target := _target(base, link)) is not None]
    if not found:
        raise UnreachableAddress(f'the page {address} points at no file that ends in {ENDING}: check the address')
    return list(dict.fromkeys(found))


def _target(base: str, link: str) -> str | None:
    """The address of an archive that a link leads to; None for any other link, or one that cannot be read."""
    try:
        target = urldefrag(urljoin(base, link)).url
        fits = is_address(target) and urlsplit(target).path.endswith(ENDING)
    except ValueError:  # as of half an IPv6 address: it is no reason to leave out the others
        return None
    return target if fits and target.isprintable() and len(target) <= _LONGEST_ADDRESS else None


def fetch_text(address: str) -> str:
    """The text that an address yields.

    :raises ricordi.errors.UnreachableAddress: it cannot be had.
    """
    return _page(address)[0]


def _page(address: str) -> tuple[str, str]:
    """The text of a page, and the address that it has in the end."""
    with _opened(address) as answer:
        content = b''.join(_parts(answer, address, LONGEST_PAGE, PAGE_SECONDS))
        return _decoded(content, answer.headers.get_content_charset()), answer.geturl()


def _decoded(content: bytes, charset: str | None) -> str:
    """The text of a page; a charset that nobody knows, or that is none of text, counts as UTF-8."""
    try:
        return content.decode(charset or 'utf-8', 'replace')
    except (LookupError, ValueError):
        return content.decode('utf-8', 'replace')


def _parts(answer: Any, address: str, most: int | None, seconds: float) -> Iterator[bytes]:
    """What a server sends, as it comes, within a length and a time for the whole.

    In small reads, each of which gives what is there: so Ctrl-C is heard between them, and a server that sends a byte
    now and then does not hold anybody for longer than that.

    :raises ricordi.errors.UnreachableAddress: it is too long, or too slow.
    """
    end, length = time.monotonic() + seconds, 0
    while chunk := answer.read1(CHUNK_BYTES):
        length += len(chunk)
        if most is not None and length > most:
            raise UnreachableAddress(f'{address} sends more than {most:,} bytes: it is refused')
        if time.monotonic() > end:
            raise UnreachableAddress(f'{address} is not had after {seconds:,.0f} s: it is too slow')
        yield chunk


def download(address: str, target: Path, run: Run) -> None:
    """Write what an address yields into a file.

    :raises ricordi.errors.UnreachableAddress: it cannot be had, or not whole, or sends so slowly that it never ends.
    :raises ricordi.errors.NotEnoughSpace: there is no room for it.
    :raises ricordi.errors.Interrupted: a stop was asked for.
    """
    with _opened(address) as answer, target.open('wb') as file:
        length, room = _length(answer), free_bytes(target.parent)
        if length is not None and length > room:
            raise NotEnoughSpace(f'{address} takes {format_bytes(length)}, more than is free at {target.parent}')
        most = room if length is None else length
        seconds = PATIENCE + max(LEAST_SECONDS, most / SLOWEST)
        with run.step('download', length):
            for chunk in _parts(answer, address, most, seconds):
                file.write(chunk)
                run.progress.advance(len(chunk))
                if run.stop.reason:
                    raise Interrupted(f'{run.stop.reason}: ended early; the profile is as it was')
        if length is not None and file.tell() != length:
            raise UnreachableAddress(f'{address} ended after {file.tell():,} of {length:,} bytes: try again')


@contextmanager
def _opened(address: str) -> Iterator[Any]:
    """What a server answers; that it does not, or stops on the way, is told in one way."""
    try:
        opener = build_opener(_SameSafety())
        with opener.open(Request(address, headers={'User-Agent': 'ricordi'}), timeout=PATIENCE) as answer:
            yield answer
    except HTTPError as error:
        raise UnreachableAddress(f'{address} cannot be had: the server says {error.code} {error.reason}') from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ValueError, EOFError) as error:
        raise UnreachableAddress(f'{address} cannot be had: {error}') from None
    except OSError as error:
        if error.errno is not None:  # of the file that is written; those of the network carry none
            raise
        raise UnreachableAddress(f'{address} cannot be had: {getattr(error, "reason", error)}') from None


class _SameSafety(HTTPRedirectHandler):
    """Follows a server elsewhere, but never from a connection that nobody can change to one that anybody can."""

    max_redirections = 10

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        """The request for the new address.

        :raises ricordi.errors.UnreachableAddress: it is not as safe as the one before.
        """
        if not is_address(newurl) or (req.full_url.lower().startswith('https:') and not _is_safe(newurl)):
            raise UnreachableAddress(f'{req.full_url} leads to {newurl}, which is not as safe: it is not followed')
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_safe(address: str) -> bool:
    return address.lower().startswith('https:')


def _length(answer: Any) -> int | None:
    told = answer.headers.get('Content-Length', '')
    return int(told) if told.isascii() and told.isdecimal() and len(told) < _LONGEST_NUMBER else None


class _Links(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.extend(value for name, value in attrs if tag == 'a' and name == 'href' and value)
