"""A fluorescence field to be written in many layouts."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def planes():
    return np.random.default_rng(3).integers(0, 4000, (3, 90, 130)).astype(np.uint16)
