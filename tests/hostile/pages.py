"""The door of pages: servers that mean no good, with headers, links, lengths and charsets of any form."""

from __future__ import annotations

import os
import random
import signal
import socketserver
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from hostile.profiles import REFERENCE
from hostile.runner import Case, Door

LINKS = [
    *[
        'http://[bad',
        'javascript:x',
        '//[',
        'a.aiida',
        'http://h:99999999/x.aiida',
        '\x1b[2J.aiida',
        'x' * 10_000 + '.aiida',
    ],
    *['file:///etc/passwd.aiida', '\ud800.aiida', 'http://[::1', '', '#', '?', 'HTTP://x/%00.aiida', 'data:,x.aiida'],
    *['//127.0.0.1:1/x.aiida', 'ftp://127.0.0.1:1/x.aiida', 'http://127.0.0.1:1/\u202e.aiida', '../' * 500 + 'x.aiida'],
]
CHARSETS = [
    'utf-8',
    'nonsense',
    'base64',
    'hex',
    'rot13',
    'utf-16',
    '"',
    'idna',
    'undefined',
    'x' * 500,
    'utf-7',
    'zlib',
    '\x00',
]
EXTRA = [
    *['', '', 'Location: file:///etc/passwd\r\n', 'Location: http://[\r\n', 'Transfer-Encoding: chunked\r\n', 'x\r\n'],
    *[
        'Location: /x\r\n',
        'Location: http://127.0.0.1:1/\r\n',
        'Location: \x9b\r\n',
        'Content-Encoding: gzip\r\n',
        ': :\r\n',
    ],
    *[
        'X: ' + 'y' * 70_000 + '\r\n',
        'X: y\r\n' * 200,
        'Set-Cookie: \xff\r\n',
        'Content-Disposition: attachment; filename=/x\r\n',
    ],
]
STATUS = [
    '200 OK',
    '200 OK',
    '200 \x1b[2J',
    '404 no\x9b',
    '500',
    '999 x',
    'abc',
    '301 x',
    '302 x',
    '204 y',
    '401 x',
    '206 x',
    '-1 x',
    '200',
]
TOGETHER = 30


class Pages(Door):
    """A server of our own that answers whatever is asked with what lies in a file."""

    name: ClassVar = 'pages'
    cases_in_ci: ClassVar = 120

    def set_up(self) -> None:
        self.profile.make(filled=False)
        self.profile.keep()
        self._answer = self.folder / 'answer'
        self._answer.write_bytes(b'')
        self._server, self._port = serve(self._answer)

    def tear_down(self) -> None:
        os.kill(self._server, signal.SIGKILL)
        os.waitpid(self._server, 0)
        super().tear_down()

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        self.profile.put_back()
        address = f'http://127.0.0.1:{self._port}/x'
        for number in range(TOGETHER):
            self._answer.write_bytes(an_answer(chance))
            words = chance.choice(
                (
                    ('archive', 'import', '-w', address),
                    ('archive', 'import', '-w', address),
                    ('archive', 'import', f'{address}.aiida'),
                    ('archive', 'import', '-n', f'{address}.aiida'),
                    ('computer', 'setup', '-n', '--config', address),
                    ('user', 'configure', '-n', '--config', address),
                )
            )
            yield Case(f'seed {seed}, case {number}', ('-p', 'p', *words))


def an_answer(chance: random.Random) -> bytes:
    """What a server answers."""
    links = ''.join(f'<a href="{chance.choice(LINKS)}">x</a>' for _ in range(chance.randint(0, 5)))
    whole = REFERENCE.read_bytes()
    body = chance.choice(
        (
            links.encode(errors='surrogatepass'),
            links.encode(errors='surrogatepass'),
            chance.randbytes(300),
            b'<a ' * 2000,
            b'<a href="' * 3000,
            b'<!--' * 50_000,
            b'<a href=x.aiida>' * 20_000,
            b'&#x110000;&#xd800;&#' + b'9' * 5000 + b';',
            whole,
            b'label: x%d\nhostname: y\ntransport: core.local\nscheduler: core.direct\nwork_dir: /x\n'
            % chance.randrange(999),
            whole[: chance.randrange(len(whole))],
            b'label: x\nhostname: y\n' * 3,
        )
    )
    if chance.random() < 0.3:  # nothing is wrong but what is sent
        return f'HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body
    length = chance.choice([str(len(body))] * 4 + ['5', '-1', '9' * 500, '²', 'x', str(len(body) + 9), '0', ' 1 '])
    head = (
        f'HTTP/1.{chance.choice("01x")} {chance.choice(STATUS)}\r\nContent-Length: {length}\r\nContent-Type: text/html'
    )
    head += f'; charset={chance.choice(CHARSETS)}\r\n{chance.choice(EXTRA)}\r\n'
    sent = head.encode('latin-1', 'replace') + body
    return chance.choice([sent] * 8 + [b'', chance.randbytes(50), b'HTTP/1.1 100 Continue\r\n\r\n' * 50 + sent])


def serve(answer: Path) -> tuple[int, int]:
    """Start a server in a process of its own; its number, and its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(answer.read_bytes())

    server = socketserver.TCPServer(('127.0.0.1', 0), Handler)
    server.request_queue_size = 50
    child = os.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            server.serve_forever()
        finally:
            os._exit(0)
    port = server.server_address[1]
    server.socket.close()
    return child, port
