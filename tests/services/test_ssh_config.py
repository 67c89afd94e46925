"""What ~/.ssh/config says about a host, compared with what OpenSSH itself makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from programs import needed
from ricordi.services.computers.ssh_config import read_ssh_config

CONFIG = """
# a comment
User first

Host gate *.example.org !secret.example.org
    Port=2222
    HostName   inner.example.org
    IdentityFile "/keys/with blank"
    ConnectTimeout 7  # in seconds
Include more/*.conf
Host secret.*
    Port 99
Match all
    GSSAPIAuthentication yes
Host *
    User last
    Port 1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / 'more').mkdir()
    (tmp_path / 'more' / 'a.conf').write_text('Host gate\n  ProxyCommand nc -x "a b" %h %p\nHost other\n  Port 5\n')
    (tmp_path / 'config').write_text(CONFIG.replace('more/', f'{tmp_path}/more/'))
    return tmp_path / 'config'


@pytest.mark.parametrize('host', ['gate', 'a.example.org', 'secret.example.org', 'other', 'elsewhere'])
def test_openssh_reads_it_alike(config: Path, host: str) -> None:
    told = subprocess.run([needed('ssh'), '-G', '-F', config, host], capture_output=True, text=True, check=True).stdout
    openssh = dict(line.split(' ', 1) for line in told.splitlines() if ' ' in line)
    ours = read_ssh_config(config, host)
    for name in ('user', 'port', 'gssapiauthentication', *(['connecttimeout'] if 'connecttimeout' in ours else [])):
        assert ours[name] == openssh[name], name
    assert ours.get('hostname', host) == openssh['hostname']


def test_a_proxy_command_is_filled_in(config: Path) -> None:
    assert read_ssh_config(config, 'gate')['proxycommand'] == 'nc -x "a b" inner.example.org 2222'


def test_names_with_blanks_are_unquoted(config: Path) -> None:
    assert read_ssh_config(config, 'gate')['identityfile'] == '/keys/with blank'


def test_where_there_is_no_file_nothing_is_said(tmp_path: Path) -> None:
    assert read_ssh_config(tmp_path / 'config', 'gate') == {}
