"""Archives from the web: found on pages, downloaded whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ricordi.errors import Interrupted, UnreachableAddress
from ricordi.progress import Run, Stop
from ricordi.services.addresses import is_address
from ricordi.services.archive.web import archives_of_page, download

CONTENT = b'as if it were an archive ' * 10_000
PAGE = """<html><body><a href="one.aiida">one</a> <a href='/files/two.aiida?download=1#top'>two</a>
<a href="one.aiida">again</a> <a
href="notes.txt">notes</a> <a href="file:///etc/three.aiida">no</a> <a>none</a></body>"""


class Handler(BaseHTTPRequestHandler):
    """A small site."""

    def do_GET(self) -> None:
        if self.path == '/missing':
            self.send_error(404)
            return
        body = {'/page': PAGE.encode(), '/empty': b'<html>', '/moved/one.aiida': b''}.get(self.path, CONTENT)
        if self.path.startswith('/moved'):
            self.send_response(302)
            self.send_header('Location', '/one.aiida')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.send_header('Content-Length', str(len(body) + (1000 if self.path == '/cut.aiida' else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    """A web server on this machine; its address."""
    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_address[1]}'
        finally:
            server.shutdown()
            thread.join()


def test_a_page_yields_the_archives_it_points_at_once_each(site: str) -> None:
    assert archives_of_page(f'{site}/page') == [f'{site}/one.aiida', f'{site}/files/two.aiida?download=1']


def test_a_page_without_archives_is_told(site: str) -> None:
    with pytest.raises(UnreachableAddress, match='points at no file'):
        archives_of_page(f'{site}/empty')


@pytest.mark.parametrize('path', ['one.aiida', 'moved/one.aiida'])
def test_an_archive_is_downloaded_as_it_is(site: str, path: str, tmp_path: Path) -> None:
    target = tmp_path / 'one.aiida'
    download(f'{site}/{path}', target, Run())
    assert target.read_bytes() == CONTENT


def test_half_an_archive_is_none(site: str, tmp_path: Path) -> None:
    with pytest.raises(UnreachableAddress, match=r'ended after|cannot be had'):
        download(f'{site}/cut.aiida', tmp_path / 'cut', Run())


def test_what_a_server_refuses_is_told_with_its_words(site: str, tmp_path: Path) -> None:
    with pytest.raises(UnreachableAddress, match='404'):
        download(f'{site}/missing', tmp_path / 'none', Run())


@pytest.mark.parametrize('address', ['http://127.0.0.1:1/x.aiida', 'http://[::bad/x.aiida', 'http://nowhere.invalid/x'])
def test_a_server_that_is_not_there_is_told(address: str, tmp_path: Path) -> None:
    with pytest.raises(UnreachableAddress, match='cannot be had'):
        download(address, tmp_path / 'none', Run())


def test_a_download_ends_when_it_is_asked_to(site: str, tmp_path: Path) -> None:
    stop = Stop()
    stop.request('SIGTERM')
    with pytest.raises(Interrupted, match='SIGTERM'):
        download(f'{site}/one.aiida', tmp_path / 'one', Run(stop=stop))


def test_only_the_web_has_addresses() -> None:
    assert is_address('HTTPS://example.org/x.aiida')
    assert not is_address('file:///etc/passwd')
    assert not is_address('https.aiida')
