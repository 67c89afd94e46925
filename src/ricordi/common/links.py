"""Types and labels of links."""

from __future__ import annotations

from ricordi.model.labels import validate_link_label
from ricordi.model.links import LinkType

__all__ = ('LinkType', 'validate_link_label')
