"""Texts that name a place elsewhere are never taken for a folder."""

import pytest

from ricordi.errors import WrongValue
from ricordi.model.addresses import check_folder_name


@pytest.mark.parametrize(
    'text',
    [
        'S3://backups/aiida',
        's3:/backups/aiida',
        's3:backups',
        'gs://backups/aiida',
        'sftp://vault.example.org/aiida',
        'https://s3.example.org/backups',
        'file:///backup',
        'vault:/backup/aiida',
        'ada@vault.example.org:backup',
    ],
)
def test_what_reads_like_a_place_elsewhere_is_no_folder(text: str) -> None:
    with pytest.raises(WrongValue, match='no folder'):
        check_folder_name(text)


@pytest.mark.parametrize(
    'text',
    [
        '/backup/aiida',
        'backup',
        '~/backup',
        './vault:/backup',
        '/mnt/gs:/x',
        '/backup@home',
        '2026-11-28T10:30',
        'a@b',
        '../s3:x',
    ],
)
def test_folders_are_folders_whatever_their_names_hold(text: str) -> None:
    check_folder_name(text)
