"""What the indexes of attributes and extras are called in a database."""

from __future__ import annotations

import hashlib

from ricordi.model.attribute_paths import AttributePath

PREFIX = 'ricordi_json_'
"""No index of AiiDA's begins so."""


def index_name(path: AttributePath) -> str:
    """The name of the index of a path: short, and another for each."""
    return f'{PREFIX}{path.column}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}'
