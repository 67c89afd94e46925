"""Ceph's S3 gateway, where one was started (`.ci/radosgw.sh start FOLDER`) and RICORDI_RADOSGW tells of its folder.

It takes minutes to be had, so the tests take SeaweedFS unless they are told of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import obstore

from deadlines import wait_until
from object_stores import ObjectStoreServer


class RadosGateway(ObjectStoreServer):
    """The gateway in a folder; what is behind it goes on when it is killed, and who has started it stops it."""

    @property
    def endpoint(self) -> str:
        return 'http://127.0.0.1:7480'

    def start(self) -> None:
        if self._pid() is None:
            subprocess.run(['radosgw', '-c', self.folder / 'ceph.conf', '-n', 'client.rgw.a'], check=True)
        wait_until(self._serves, 'the gateway serves')

    def kill(self) -> None:
        pid = self._pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self._pid() is None, 'the gateway has ended')

    def stop(self) -> None:
        """It is not ours to stop."""

    def remove_bucket(self, name: str) -> None:
        """It wants a bucket to be empty."""
        if names := self.names(name):
            obstore.delete(self.client(name), names)
        super().remove_bucket(name)

    def _pid(self) -> int | None:
        """Its process, while it runs."""
        try:
            pid = int((self.folder / 'run' / 'client.rgw.a.pid').read_text())
            name = Path(f'/proc/{pid}/comm').read_text().strip()
        except (OSError, ValueError):
            return None
        return pid if name == 'radosgw' else None

    def _serves(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=240).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
