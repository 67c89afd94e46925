"""A proxy in front of an object store that lets chosen requests fail in the ways in which networks and stores do.

Signatures stay valid: the store sees the host name that the client has signed.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{0}</Code><Message>{0}</Message></Error>'
_KINDS = {('PUT', 'partNumber'): 'part', ('POST', 'uploads'): 'begin', ('POST', 'uploadId'): 'end'}
_KINDS |= {('POST', 'delete'): 'delete', ('GET', 'list-type'): 'list', ('DELETE', 'uploadId'): 'abort'}


@dataclass(frozen=True)
class Fault:
    """How a request goes wrong.

    :param status: what is answered in place of the store, which never hears of it. 0: as the rest says.
    :param code: of S3, in the answer.
    :param retry_after: seconds, as the answer says; -1: it does not say.
    :param cut_request: the connection ends after half of what the client sends, and the store never hears of it.
    :param cut_answer: the store has done it, and the connection ends after half of the body of its answer, if any.
    :param shorten: the answer is well-formed, and has half of the bytes.
    :param alter: a bit of the body of the answer is another.
    :param alter_request: a bit of the body of the request is another.
    :param silent: nothing is ever answered, though the store has done it.
    """

    name: str
    status: int = 0
    code: str = ''
    retry_after: int = -1
    cut_request: bool = False
    cut_answer: bool = False
    shorten: bool = False
    alter: bool = False
    alter_request: bool = False
    silent: bool = False

    def __str__(self) -> str:
        return self.name


INTERNAL_ERROR = Fault('500', 500, 'InternalError')
SLOW_DOWN = Fault('503 with Retry-After', 503, 'SlowDown', retry_after=0)
EXPIRED = Fault('expired credentials', 403, 'ExpiredToken')
FORBIDDEN = Fault('no right', 403, 'AccessDenied')
SKEWED = Fault('clock skew', 403, 'RequestTimeTooSkewed')
NO_BUCKET = Fault('no bucket', 404, 'NoSuchBucket')
QUOTA = Fault('quota', 403, 'QuotaExceeded')
FULL = Fault('full', 507, 'InsufficientStorage')
CUT_REQUEST = Fault('cut while asking', cut_request=True)
CUT_ANSWER = Fault('cut while answering', cut_answer=True)
SHORTENED = Fault('truncated', shorten=True)
ALTERED = Fault('wrong bytes', alter=True)
ALTERED_REQUEST = Fault('wrong bytes up', alter_request=True)
SILENT = Fault('timeout', silent=True)

PASSING = (INTERNAL_ERROR, SLOW_DOWN, CUT_REQUEST, CUT_ANSWER, SHORTENED, ALTERED, ALTERED_REQUEST)
"""What may happen once on any network, and be over."""
LASTING = (INTERNAL_ERROR, SLOW_DOWN, EXPIRED, FORBIDDEN, SKEWED, NO_BUCKET, QUOTA, FULL, CUT_REQUEST, CUT_ANSWER)
"""What may go on until somebody does something."""


@dataclass
class FailingProxy:
    """A proxy that listens on loopback; see `running_proxy`.

    :param kinds: of the requests since `clear`: put, part, begin, end, get, range, list, head, delete …
    """

    upstream: str
    server: ThreadingHTTPServer | None = None
    kinds: list[str] = field(default_factory=list)
    _fault: Fault | None = None
    _first: int = 0
    _last: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        assert self.server is not None
        return f'http://127.0.0.1:{self.server.server_address[1]}'

    def clear(self) -> None:
        """All goes well from now on; requests are counted from one."""
        self.fail(None, 0)

    def fail(self, fault: Fault | None, at: int = 1, lasting: bool = False) -> None:
        """Let the request of this number, counted from one from now on, fail; `lasting`: and all after it."""
        with self._lock:
            self.kinds = []
            self._fault, self._first, self._last = fault, at, 1 << 60 if lasting else at

    def fault_of(self, kind: str) -> Fault | None:
        """Count a request; what happens to it."""
        with self._lock:
            self.kinds.append(kind)
            return self._fault if self._first <= len(self.kinds) <= self._last else None


@contextmanager
def running_proxy(upstream: str) -> Iterator[FailingProxy]:
    """A proxy in front of the store at an address, until the end."""
    proxy = FailingProxy(urlsplit(upstream).netloc)
    handler = type('Handler', (_Handler,), {'proxy': proxy})
    proxy.server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
    proxy.server.daemon_threads = True
    thread = threading.Thread(target=proxy.server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ending.set()
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


def kind_of(method: str, path: str, headers: Any) -> str:
    """What a request is for, in a word."""
    asked = parse_qs(urlsplit(path).query, keep_blank_values=True)
    for (of_method, word), kind in _KINDS.items():
        if method == of_method and word in asked:
            return kind
    return 'range' if method == 'GET' and headers.get('Range') else method.lower()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    proxy: FailingProxy
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _serve(self) -> None:
        length = int(self.headers.get('Content-Length') or 0)
        fault = self.proxy.fault_of(kind_of(self.command, self.path, self.headers))
        if fault is None:
            self._answer(self._upstream(self.rfile.read(length)))
        elif fault.cut_request:
            self.rfile.read(length // 2)
            self._hang_up()
        elif fault.status:
            self.rfile.read(length)
            self._answer(_refusal(fault))
        else:
            body = self.rfile.read(length)
            self._spoil(fault, self._upstream(_altered(body) if fault.alter_request else body))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _spoil(self, fault: Fault, answer: Answer) -> None:
        """Answer badly what the store has done."""
        status, headers, body = answer
        if fault.silent:
            self.proxy.ending.wait()
            self._hang_up()
        elif fault.cut_answer:
            if body:
                self._answer((status, headers, body[: len(body) // 2]), promised=len(body))
            self._hang_up()
        else:
            body = body[: len(body) // 2] if fault.shorten else _altered(body) if fault.alter else body
            self._answer((status, headers, body))

    def _upstream(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=240)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != 'connection':
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
            left_out = ('connection', 'transfer-encoding', 'keep-alive', 'date', 'server')
            return answer.status, {k: v for k, v in answer.getheaders() if k.lower() not in left_out}, content
        except OSError:  # the store was killed
            return 502, {}, b''
        finally:
            connection.close()

    def _answer(self, answer: Answer, promised: int | None = None) -> None:
        """Send an answer.

        :param promised: bytes that are promised and never come; None: as many as there are.
        """
        status, headers, body = answer
        told = headers.pop('Content-Length', '0')
        length = told if self.command == 'HEAD' else str(promised or len(body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header('Content-Length', length)
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client was quicker


def _refusal(fault: Fault) -> Answer:
    headers = {'Content-Type': 'application/xml'}
    if fault.retry_after >= 0:
        headers['Retry-After'] = str(fault.retry_after)
    return fault.status, headers, _XML.format(fault.code).encode()


def _altered(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body
