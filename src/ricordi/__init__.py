"""Ricordi keeps the provenance of computational science: a library and a command line over AiiDA's storage format."""

TYPE_CHECKING = False  # the constant of `typing`, which costs an import
if TYPE_CHECKING:
    from ricordi.manager import get_manager, get_profile, load_profile, profile_context
    from ricordi.version import __version__

__all__ = ('__version__', 'get_manager', 'get_profile', 'load_profile', 'profile_context')


def __getattr__(name: str) -> object:
    # `import ricordi` imports nothing else; what is asked for by name is loaded then.
    if name == '__version__':
        from ricordi import version

        return version.__version__
    if name in __all__:
        from ricordi import manager

        loaded: object = getattr(manager, name)
        return loaded
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
