"""A profile of AiiDA's as one of ours, and where its configuration lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ricordi.config.profile import Profile


def as_ricordi(profile: Any) -> Profile:
    """The same profile, for our classes; what is changed in one of the two does not reach the other."""
    config = {**profile.dictionary, Profile.KEY_UUID: profile.uuid}
    return Profile(profile.name, config, validate=False)


def config_folder() -> Path:
    """The configuration folder that AiiDA works with in this process."""
    from aiida.manage.configuration import settings

    folder = getattr(settings, 'AiiDAConfigDir', None)
    return Path(settings.AIIDA_CONFIG_FOLDER if folder is None else folder.get())
