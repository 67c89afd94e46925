"""Nodes that stand for files which were put aside on a computer after a calculation."""

from __future__ import annotations

import enum
from typing import Any

from ricordi.errors import ValidationError
from ricordi.orm.data.data import Data


class StashMode(enum.Enum):
    """How files were put aside."""

    COPY = 'copy'
    COMPRESS_TAR = 'tar'
    COMPRESS_TARBZ2 = 'tar.bz2'
    COMPRESS_TARGZ = 'tar.gz'
    COMPRESS_TARXZ = 'tar.xz'
    SUBMIT_CUSTOM_CODE = 'submit_custom_code'


class RemoteStashData(Data, node_type='data.core.remote.stash.RemoteStashData.'):
    """Base of the classes for each way of stashing."""

    _storable = False
    _unstorable_message = 'use the class of the way of stashing, such as RemoteStashFolderData'
    _modes: frozenset[StashMode] = frozenset(StashMode)

    def __init__(self, stash_mode: StashMode, **kwargs: Any) -> None:
        """
        :param stash_mode: how the files were put aside.
        """
        super().__init__(**kwargs)
        if not isinstance(stash_mode, StashMode) or stash_mode not in self._modes:
            raise ValidationError(f'{type(self).__name__} is not for stash_mode {stash_mode!r}')
        self.base.attributes.set('stash_mode', stash_mode.value)

    @property
    def stash_mode(self) -> StashMode:
        """How the files were put aside."""
        return StashMode(self.base.attributes.get('stash_mode'))

    @property
    def target_basepath(self) -> str:
        """Where the files are."""
        return str(self.base.attributes.get('target_basepath'))

    @property
    def source_list(self) -> list[str]:
        """The files that were put aside."""
        return list(self.base.attributes.get('source_list'))


class RemoteStashFolderData(RemoteStashData, node_type='data.core.remote.stash.folder.RemoteStashFolderData.'):
    """Files that were copied to another folder."""

    _storable = True
    _modes = frozenset((StashMode.COPY,))

    def __init__(
        self,
        stash_mode: StashMode,
        target_basepath: str,
        source_list: list[str],
        fail_on_missing: bool = False,
        **kwargs: Any,
    ) -> None:
        """
        :param target_basepath: where the files are.
        :param source_list: the files that were put aside.
        :param fail_on_missing: whether a file that is not there is an error.
        """
        super().__init__(stash_mode, **kwargs)
        self.base.attributes.set_many(
            {'target_basepath': target_basepath, 'source_list': source_list, 'fail_on_missing': fail_on_missing}
        )

    @property
    def fail_on_missing(self) -> bool:
        """Whether a file that is not there is an error."""
        return bool(self.base.attributes.get('fail_on_missing', False))


class RemoteStashCompressedData(
    RemoteStashData, node_type='data.core.remote.stash.compress.RemoteStashCompressedData.'
):
    """Files that were packed into an archive."""

    _storable = True
    _modes = frozenset(mode for mode in StashMode if mode.name.startswith('COMPRESS'))

    def __init__(
        self,
        stash_mode: StashMode,
        target_basepath: str,
        source_list: list[str],
        dereference: bool,
        fail_on_missing: bool = False,
        **kwargs: Any,
    ) -> None:
        """
        :param target_basepath: path of the archive.
        :param source_list: the files that were put aside.
        :param dereference: whether symbolic links were followed.
        :param fail_on_missing: whether a file that is not there is an error.
        """
        super().__init__(stash_mode, **kwargs)
        self.base.attributes.set_many(
            {
                'target_basepath': target_basepath,
                'source_list': source_list,
                'dereference': dereference,
                'fail_on_missing': fail_on_missing,
            }
        )

    @property
    def dereference(self) -> bool:
        """Whether symbolic links were followed."""
        return bool(self.base.attributes.get('dereference'))

    @property
    def fail_on_missing(self) -> bool:
        """Whether a file that is not there is an error."""
        return bool(self.base.attributes.get('fail_on_missing', False))


class RemoteStashCustomData(RemoteStashData, node_type='data.core.remote.stash.custom.RemoteStashCustomData.'):
    """Files that were put aside by a script of the user's."""

    _storable = True
    _modes = frozenset((StashMode.SUBMIT_CUSTOM_CODE,))

    def __init__(self, stash_mode: StashMode, target_basepath: str, source_list: list[str], **kwargs: Any) -> None:
        """
        :param target_basepath: where the files are.
        :param source_list: the files that were put aside.
        """
        super().__init__(stash_mode, **kwargs)
        self.base.attributes.set_many({'target_basepath': target_basepath, 'source_list': source_list})
