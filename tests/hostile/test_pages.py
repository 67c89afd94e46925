"""Pages and servers that mean no good: headers, links and charsets of any form."""

from __future__ import annotations

import random
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.request import Request

import pytest

from hostile.door import run_through
from ricordi.errors import UnreachableAddress
from ricordi.services import archive_web

SEED, CASES = 13, 60
LINKS = [
    'http://[bad',
    'javascript:x',
    '//[',
    'a.aiida',
    'http://h:99999999/x.aiida',
    '\x1b[2J.aiida',
    'x' * 10_000 + '.aiida',
    'file:///etc/passwd.aiida',
    '\ud800.aiida',
    'http://[::1',
    '',
    '#',
    '?',
    'HTTP://x/%00.aiida',
    'data:,x.aiida',
]
CHARSETS = ['utf-8', 'nonsense', 'base64', 'hex', 'rot13', 'utf-16', '"', 'idna', 'undefined', 'x' * 500]


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


def generate(rng: random.Random) -> bytes:
    """What a server answers."""
    links = ''.join(f'<a href="{rng.choice(LINKS)}">x</a>' for _ in range(rng.randint(0, 5)))
    body = rng.choice([links.encode(errors='surrogatepass'), rng.randbytes(300), b'<a ' * 2000])
    length = rng.choice([str(len(body)), '5', '-1', '9' * 500, '²', 'x', str(len(body) + 9)])
    status = rng.choice(['200 OK', '200 \x1b[2J', '404 no\x9b', '500', '999 x', 'abc', '301 x', '204 y'])
    extra = rng.choice(
        ['', 'Location: file:///etc/passwd\r\n', 'Location: http://[\r\n', 'Transfer-Encoding: chunked\r\n']
    )
    head = f'HTTP/1.0 {status}\r\nContent-Length: {length}\r\nContent-Type: text/html'
    head += f'; charset={rng.choice(CHARSETS)}\r\n{extra}\r\n'
    return rng.choice([head.encode() + body, head.encode() + body, b'', rng.randbytes(50)])


def check(answer: bytes, server: Server) -> None:
    """Hold a page, an archive and a file of answers from there to the bar."""
    server.answer = answer
    address = f'http://127.0.0.1:{server.server_address[1]}/x'
    for words in (
        ['archive', 'import', '-w', address],
        ['archive', 'import', f'{address}.aiida'],
        ['computer', 'setup', '-n', '--config', address],
    ):
        run_through(['-p', 'mixed', *words])


def test_no_answer_of_a_server_is_a_bug(reference_home: Path, server: Server) -> None:
    rng = random.Random(SEED)
    for _ in range(CASES):
        check(generate(rng), server)


def test_one_bad_link_does_not_spoil_a_page(server: Server) -> None:
    body = b'<a href="http://[bad">x</a><a href="good.aiida">y</a>'
    server.answer = b'HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=nonsense\r\n\r\n' + body
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
