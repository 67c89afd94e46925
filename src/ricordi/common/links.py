"""Types and labels of links."""

from __future__ import annotations

from ricordi.orm.links import LinkType, validate_link_label

__all__ = ('LinkType', 'validate_link_label')
