"""An environment in which AiiDA finds the storages of Ricordi."""

from __future__ import annotations

import pytest

from aiida_installed import installed_in


@pytest.fixture(scope='session')
def aiida_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which AiiDA's Python imports this Ricordi, and finds its entry points, as if it were installed."""
    return installed_in(tmp_path_factory.mktemp('installed'))
