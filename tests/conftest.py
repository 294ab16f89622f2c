"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Property tests draw the same examples everywhere and know no deadline: a slow machine is no defect.
settings.register_profile("her2path", deadline=None, derandomize=True, database=None)
settings.load_profile("her2path")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; the test skips, saying so, where it is missing."""
    folder = Path(os.environ.get("HER2PATH_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real images not found at {folder} (set HER2PATH_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The synthetic cases that ship with the project."""
    return ROOT / "sample_data"
