"""What the client of a bucket is told, and what of the environment it must not heed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ricordi.backend.bucket import BucketLocation
from ricordi.repository.bucket.limits import USUAL
from ricordi.repository.bucket.objects import open_client

AROUND = {
    'AWS_ACCESS_KEY_ID': 'around',
    'AWS_SECRET_ACCESS_KEY': 'around',
    'AWS_SESSION_TOKEN': 'around',
    'AWS_SKIP_SIGNATURE': 'true',
    'AWS_ENDPOINT_URL': 'http://127.0.0.1:1',
    'AWS_ENDPOINT': 'http://127.0.0.1:1',
    'AWS_REGION': 'around-1',
    'AWS_DEFAULT_REGION': 'around-1',
    'AWS_VIRTUAL_HOSTED_STYLE_REQUEST': 'true',
}


class Store(ThreadingHTTPServer):
    """Answers each request with nothing, and keeps its heads."""

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Answer)
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f'http://127.0.0.1:{self.server_port}'


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Store)
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(200)
        for name, value in (
            ('Content-Length', '0'),
            ('ETag', '"0"'),
            ('Last-Modified', 'Sat, 28 Nov 2026 04:00:00 GMT'),
        ):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name, value in AROUND.items():
        monkeypatch.setenv(name, value)
    server = Store()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize('token', ['', 'own'])
def test_address_key_and_token_are_those_of_the_location_whatever_the_environment_says(
    store: Store, token: str
) -> None:
    location = BucketLocation(
        {}, 'bucket', endpoint=store.address, access_key_id='own', secret_access_key='secret', session_token=token
    )
    open_client(location, USUAL).get('name')
    ((path, head),) = store.asked
    assert path == '/bucket/name'
    assert 'Credential=own/' in head['authorization']
    assert '/us-east-1/s3/' in head['authorization']
    assert head.get('x-amz-security-token', '') == token


@pytest.mark.parametrize(
    ('virtual_hosted', 'address'),
    [(False, 'https://s3.eu-west-1.amazonaws.com'), (True, 'https://ours.s3.eu-west-1.amazonaws.com')],
)
def test_without_an_address_the_store_is_that_of_aws_whatever_the_environment_says(
    store: Store, virtual_hosted: bool, address: str
) -> None:
    location = BucketLocation({}, 'ours', region='eu-west-1', virtual_hosted=virtual_hosted)
    client = open_client(location, USUAL)
    assert address in repr(client.config)
