from __future__ import annotations

import numpy as np
import pytest

from her2path.errors import ArtefactError
from her2path.io.masks import read_mask, write_mask


def test_a_mask_comes_back_as_it_was(tmp_path):
    mask = np.random.default_rng(1).random((37, 53)) < 0.4
    write_mask(tmp_path / "m.png", mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), mask)


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_what_is_no_mask_is_refused_by_name(tmp_path, content):
    (tmp_path / "tissue.png").write_bytes(content)
    with pytest.raises(ArtefactError, match="tissue.png"):
        read_mask(tmp_path / "tissue.png")


def test_a_missing_mask_is_refused_by_name(tmp_path):
    with pytest.raises(ArtefactError, match="none.png"):
        read_mask(tmp_path / "none.png")
