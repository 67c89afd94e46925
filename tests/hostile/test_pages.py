"""Pages and servers that mean no good: headers, links and charsets of any form."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.request import Request

import pytest

from ricordi.errors import UnreachableAddress
from ricordi.services.archive import web as archive_web


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    answer = b''


class Handler(BaseHTTPRequestHandler):
    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(self.server.answer)  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(('127.0.0.1', 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def test_one_bad_link_does_not_spoil_a_page(server: Server) -> None:
    body = b'<a href="http://[bad">x</a><a href="good.aiida">y</a>'
    server.answer = b'HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=nonsense\r\n\r\n' + body
    assert archive_web.archives_of_page(f'http://127.0.0.1:{server.server_address[1]}/')[0].endswith('/good.aiida')


def test_a_character_that_cannot_be_does_not_spoil_a_page(server: Server) -> None:
    body = b'&#' + b'9' * 5000 + b'; <a href="&#x' + b'f' * 5000 + b'">x</a><a href="g&#111;od.aiida">y</a>'
    server.answer = b'HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n' + body
    assert archive_web.archives_of_page(f'http://127.0.0.1:{server.server_address[1]}/')[0].endswith('/good.aiida')


@pytest.mark.parametrize('target', ['http://h/x', 'ftp://h/x', 'file:///x'])
def test_a_safe_connection_never_becomes_one_that_is_not(target: str) -> None:
    handler = archive_web._SameSafety()
    with pytest.raises(UnreachableAddress, match='not as safe'):
        handler.redirect_request(Request('https://h/'), None, 302, '', {}, target)
    assert handler.redirect_request(Request('https://h/'), None, 302, '', {}, 'https://h/y') is not None


def test_a_page_that_never_ends_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = b'HTTP/1.0 200 OK\r\n\r\n' + b'x' * 100_000
    address = f'http://127.0.0.1:{server.server_address[1]}/'
    monkeypatch.setattr(archive_web, 'LONGEST_PAGE', 1000)
    with pytest.raises(UnreachableAddress, match='more than 1,000 bytes'):
        archive_web.fetch_text(address)
    monkeypatch.setattr(archive_web, 'PAGE_SECONDS', -1.0)
    monkeypatch.setattr(archive_web, 'LONGEST_PAGE', 1 << 20)
    with pytest.raises(UnreachableAddress, match='too slow'):
        archive_web.fetch_text(address)
