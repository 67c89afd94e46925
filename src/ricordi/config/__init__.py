"""The configuration folder: where it is, `config.json`, profiles."""

from ricordi.config.config import Config, load_config
from ricordi.config.folder import get_config_folder
from ricordi.config.profile import Profile
from ricordi.config.secrets import hide_secrets

__all__ = ('Config', 'Profile', 'get_config_folder', 'hide_secrets', 'load_config')
