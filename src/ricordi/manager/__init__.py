"""The loaded profile and its storage: the one place that joins configuration, access, frontend and storage."""

from ricordi.manager.backends import storage_class
from ricordi.manager.backups import open_backup
from ricordi.manager.manager import (
    Manager,
    get_config,
    get_manager,
    get_profile,
    load_profile,
    profile_context,
    unload_profile,
)
from ricordi.manager.opening import (
    close_storage,
    initialise_storage,
    lock_profile,
    maintain_storage,
    migrate_storage,
    open_storage,
    use_storage,
)

__all__ = (
    'Manager',
    'close_storage',
    'get_config',
    'get_manager',
    'get_profile',
    'initialise_storage',
    'load_profile',
    'lock_profile',
    'maintain_storage',
    'migrate_storage',
    'open_backup',
    'open_storage',
    'profile_context',
    'storage_class',
    'unload_profile',
    'use_storage',
)
