"""Archives on the web: the addresses that a page points at, and the download of one into a file."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import Request, urlopen

from ricordi.errors import Interrupted, NotEnoughSpace, UnreachableAddress
from ricordi.files import free_bytes
from ricordi.progress import Progress, Stop
from ricordi.services.addresses import is_address

ENDING = '.aiida'
CHUNK_BYTES = 1 << 20
LONGEST_PAGE = 32 << 20
PATIENCE = 60.0
"""Seconds that a server may stay silent."""


def archives_of_page(address: str) -> list[str]:
    """The addresses ending in `.aiida` that a web page points at, each once, in their order.

    :raises ricordi.errors.UnreachableAddress: the page cannot be had, or points at no archive.
    """
    text, base = _page(address)
    links = _Links()
    links.feed(text)
    targets = (urldefrag(urljoin(base, link)).url for link in links.found)
    found = [target for target in targets if is_address(target) and urlsplit(target).path.endswith(ENDING)]
    if not found:
        raise UnreachableAddress(f'the page {address} points at no file that ends in {ENDING}: check the address')
    return list(dict.fromkeys(found))


def fetch_text(address: str) -> str:
    """The text that an address yields.

    :raises ricordi.errors.UnreachableAddress: it cannot be had.
    """
    return _page(address)[0]


def _page(address: str) -> tuple[str, str]:
    """The text of a page, and the address that it has in the end."""
    with _opened(address) as answer:
        text = answer.read(LONGEST_PAGE).decode(answer.headers.get_content_charset() or 'utf-8', 'replace')
        return text, answer.geturl()


def download(address: str, target: Path, progress: Progress, stop: Stop) -> None:
    """Write what an address yields into a file.

    :raises ricordi.errors.UnreachableAddress: it cannot be had, or not whole.
    :raises ricordi.errors.NotEnoughSpace: there is no room for it.
    :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
    """
    with _opened(address) as answer, target.open('wb') as file:
        length = _length(answer)
        if length is not None and length > free_bytes(target.parent):
            raise NotEnoughSpace(f'{address} takes {length:,} bytes, more than are free at {target.parent}')
        progress.begin('download', length)
        try:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                progress.advance(len(chunk))
                if stop.reason:
                    raise Interrupted(f'{stop.reason}: ended early; the profile is as it was')
        finally:
            progress.end()
        if length is not None and file.tell() != length:
            raise UnreachableAddress(f'{address} ended after {file.tell():,} of {length:,} bytes: try again')


@contextmanager
def _opened(address: str) -> Iterator[Any]:
    """What a server answers; that it does not, or stops on the way, is told in one way."""
    try:
        with urlopen(Request(address, headers={'User-Agent': 'ricordi'}), timeout=PATIENCE) as answer:
            yield answer
    except HTTPError as error:
        raise UnreachableAddress(f'{address} cannot be had: the server says {error.code} {error.reason}') from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ValueError) as error:
        raise UnreachableAddress(f'{address} cannot be had: {error}') from None
    except OSError as error:
        if error.errno is not None:  # of the file that is written; those of the network carry none
            raise
        raise UnreachableAddress(f'{address} cannot be had: {getattr(error, "reason", error)}') from None


def _length(answer: Any) -> int | None:
    told = answer.headers.get('Content-Length', '')
    return int(told) if told.isdecimal() else None


class _Links(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.extend(value for name, value in attrs if tag == 'a' and name == 'href' and value)
