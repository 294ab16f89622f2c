"""Tables: only finite numbers are written, and what was not measured is null."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.io.documents import Producer
from her2path.io.tables import FISH_SIGNALS, IHC_CONTOURS, read_table, write_table

MAKER = Producer(step="fish_signals", version="0.1.0", params={})
SIGNAL = {
    "nucleus_id": [1, 2],
    "channel": ["her2", "glow"],
    "x_px0": [1.5, 2.5],
    "y_px0": [1.0, 2.0],
    "z": [0, 0],
    "snr": [9.0, None],
    "share": [1.0, None],
    "is_cluster": [False, False],
    "copies": [1, 0],
    "copies_low": [None, None],
    "copies_high": [None, None],
}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=["NaN", "infinity", "minus infinity"])
@pytest.mark.parametrize("column", ["x_px0", "snr"])
@pytest.mark.parametrize("kind", [list, np.array], ids=["list", "array"])
def test_what_is_no_finite_number_is_refused_by_its_column(tmp_path, column, value, kind):
    path = tmp_path / "t.parquet"
    with (
        pytest.raises(ValueError, match=f"'{column}'"),
        write_table(path, FISH_SIGNALS, produced_by=MAKER) as table,
    ):
        table.append({**SIGNAL, column: kind([1.0, value])})
    assert not path.exists()


def test_numbers_within_lists_must_be_finite_too(tmp_path):
    with (
        pytest.raises(ValueError, match="'nucleus_xy_px0'"),
        write_table(tmp_path / "t.parquet", IHC_CONTOURS, produced_by=MAKER) as table,
    ):
        table.append({"cell_id": [1], "cell_xy_px0": [[0.0, 1.0]], "nucleus_xy_px0": [[0.0, np.nan]]})


def test_null_says_that_nothing_was_measured(tmp_path):
    with write_table(tmp_path / "t.parquet", FISH_SIGNALS, produced_by=MAKER) as table:
        table.append(SIGNAL)
        table.append({name: [] for name in SIGNAL})
    assert read_table(tmp_path / "t.parquet", FISH_SIGNALS)["snr"].to_pylist() == [9.0, None]


def test_null_is_refused_where_every_row_is_measured(tmp_path):
    with (
        pytest.raises(ValueError, match="null"),
        write_table(tmp_path / "t.parquet", FISH_SIGNALS, produced_by=MAKER) as table,
    ):
        table.append({**SIGNAL, "x_px0": [1.0, None]})
