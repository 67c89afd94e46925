"""Who uses a profile: shared access and the exclusive lock, among Ricordi processes and towards AiiDA."""

from ricordi.access.holder import Holder
from ricordi.access.manager import ProfileAccessManager

__all__ = ('Holder', 'ProfileAccessManager')
