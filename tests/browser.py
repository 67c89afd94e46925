"""Chromium without a window, driven by its own protocol through two pipes: one start for many pages."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deadlines import DEADLINE
from programs import needed

FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--hide-scrollbars',
    '--remote-debugging-pipe',
)


class Browser:
    """A page in a browser: what it holds, what it says on its console, what it asks for."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._number, self._rest, self._session = 0, b'', ''
        self.complaints: list[str] = []
        """Errors and warnings on the console, and exceptions that nobody caught, since `open`."""
        self.requests: list[str] = []
        """What was asked for since `open`, the page itself aside."""
        self._loaded: set[str] = set()
        target = self._call('Target.createTarget', url='about:blank')['targetId']
        self._session = self._call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self._call(f'{domain}.enable')
        self._call('Page.setLifecycleEventsEnabled', enabled=True)

    def open(self, page: Path, width: int = 1000, height: int = 800, dark: bool = False) -> None:
        """Show a page, and wait until it is there.

        :param width: of the window, in pixels; `height` too.
        """
        scheme = [{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}]
        self._call('Emulation.setEmulatedMedia', features=scheme)
        self.resize(width, height)
        self.complaints, self.requests, self._loaded = [], [], set()
        document = self._call('Page.navigate', url=page.as_uri())['loaderId']
        while document not in self._loaded:  # what was there before may tell only now that it is
            self._hear()
        self.requests = [
            url for url in self.requests if url != page.as_uri() and not url.startswith(('data:', 'blob:'))
        ]

    def resize(self, width: int, height: int) -> None:
        """Make the window so large."""
        self._call(
            'Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript; a promise is waited for."""
        answer = self._call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in answer, answer['exceptionDetails']
        return answer['result'].get('value')

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element."""
        box = f'document.querySelector({json.dumps(selector)}).getBoundingClientRect()'
        self.evaluate(f'document.querySelector({json.dumps(selector)}).scrollIntoView({{block: "nearest"}})')
        x, y = self.evaluate(
            f'(() => {{ const box = {box}; return [box.x + box.width / 2, box.y + box.height / 2]; }})()'
        )
        for kind in ('mouseMoved', 'mousePressed', 'mouseReleased'):
            button = {} if kind == 'mouseMoved' else {'button': 'left', 'clickCount': 1}
            self._call('Input.dispatchMouseEvent', type=kind, x=x, y=y, **button)

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key: `Enter`, `Tab`, `ArrowDown`, a letter …"""
        codes = {'Enter': 13, 'Tab': 9, 'Escape': 27, 'ArrowDown': 40, 'ArrowUp': 38, ' ': 32}
        text = {'text': '\r' if key == 'Enter' else key} if key == 'Enter' or len(key) == 1 else {}
        common = {'key': key, 'modifiers': 8 if shift else 0, 'windowsVirtualKeyCode': codes.get(key, 0)}
        self._call('Input.dispatchKeyEvent', type='keyDown', **common, **text)
        self._call('Input.dispatchKeyEvent', type='keyUp', **common)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._call('Input.insertText', text=text)

    def screenshot(self, file: Path, whole: bool = True) -> None:
        """What the page looks like.

        :param whole: not only what is in the window.
        """
        answer = self._call('Page.captureScreenshot', captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer['data']))

    def print(self) -> bytes:
        """The page on paper, as PDF."""
        return base64.b64decode(self._call('Page.printToPDF', printBackground=True)['data'])

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {'id': self._number, 'method': method, 'params': parameters}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._send, json.dumps(message).encode() + b'\0')
        while True:
            answer = self._hear()
            if answer.get('id') == self._number:
                assert 'error' not in answer, (method, answer['error'])
                return answer['result']

    def _hear(self) -> dict[str, Any]:
        """The next message; what is told of the page is noted."""
        end = time.monotonic() + DEADLINE
        while b'\0' not in self._rest:
            ready, _, _ = select.select([self._receive], [], [], max(0.0, end - time.monotonic()))
            assert ready, 'the browser does not answer'
            part = os.read(self._receive, 1 << 20)
            assert part, 'the browser has ended'
            self._rest += part
        text, _, self._rest = self._rest.partition(b'\0')
        message: dict[str, Any] = json.loads(text)
        self._note(message.get('method'), message.get('params', {}))
        return message

    def _note(self, method: str | None, told: dict[str, Any]) -> None:
        if method == 'Runtime.exceptionThrown':
            self.complaints.append(str(told['exceptionDetails']))
        elif method == 'Runtime.consoleAPICalled' and told['type'] in ('error', 'warning', 'assert'):
            self.complaints.append(str(told['args']))
        elif method == 'Log.entryAdded' and told['entry']['level'] in ('error', 'warning'):
            self.complaints.append(told['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            self.requests.append(told['request']['url'])
        elif method == 'Page.lifecycleEvent' and told['name'] == 'load':
            self._loaded.add(told['loaderId'])


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """A browser for the length of a `with` block; a test is skipped where there is none.

    :param folder: where it keeps what it keeps.
    """
    program = needed('chromium', 'chromium-browser', 'google-chrome')
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # it reads from descriptor 3 and writes to 4
    script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
    process = subprocess.Popen(
        ['bash', '-c', script, 'bash', str(theirs_in), str(theirs_out), program, *FLAGS, f'--user-data-dir={folder}'],
        pass_fds=(theirs_in, theirs_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, 'HOME': str(folder)},
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        process.kill()
        process.wait()
        os.close(ours_out)
        os.close(ours_in)
