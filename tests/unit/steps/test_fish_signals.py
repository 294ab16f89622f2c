"""Step fish_signals: rows of the table, in level-0 pixels, with depth and weak signals."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.errors import ChannelError
from her2path.io.tables import FISH_SIGNALS, read_table
from tests.support.fish_fields import Disc, Dot, draw_field, run_chain, write_ome

DISCS = [Disc(r, c, 36) for r in (64, 190) for c in (64, 190)]
DOTS = [
    Dot(k, d.row + row + 0.3, d.col + col + 4 * k)
    for d in DISCS
    for k in (1, 2)
    for row, col in ((-18, -8), (0, 10), (18, -6))
]


def rows_of(folder):
    return read_table(folder / "fish_signals.parquet", FISH_SIGNALS).to_pylist()


def test_signals_lie_where_they_were_drawn_in_level_0_pixels(tmp_path):
    path = write_ome(tmp_path / "field.ome.tif", draw_field(DISCS, DOTS))
    run_chain([path], tmp_path / "out")
    for role, channel in (("her2", 1), ("cep17", 2)):
        found = np.array(
            [(r["y_px0"], r["x_px0"]) for r in rows_of(tmp_path / "out") if r["channel"] == role]
        )
        drawn = np.array([(d.row, d.col) for d in DOTS if d.channel == channel])
        apart = np.hypot(*(found[:, None] - drawn[None]).transpose(2, 0, 1))
        assert found.shape == drawn.shape
        assert apart.min(axis=0).max() < 0.2


def test_the_focus_plane_of_a_signal_is_written(tmp_path):
    sharp = draw_field(DISCS, DOTS)
    flat = draw_field(DISCS, [])
    stack = np.stack([flat, flat, sharp])
    path = write_ome(tmp_path / "stack.ome.tif", stack)
    result = run_chain([path], tmp_path / "out")
    assert {r["z"] for r in rows_of(tmp_path / "out")} == {2}
    assert result.her2_signals == 12


def test_probe_channels_that_show_the_same_are_refused(tmp_path):
    planes = draw_field(DISCS, DOTS)
    planes[2] = planes[1]
    with pytest.raises(ChannelError, match="same spots"):
        run_chain([write_ome(tmp_path / "field.ome.tif", planes)], tmp_path / "out")


def test_weak_spots_are_listed_with_0_copies(tmp_path):
    weak = Dot(1, DISCS[0].row + 8, DISCS[0].col - 22, height=130)
    path = write_ome(tmp_path / "field.ome.tif", draw_field(DISCS, [*DOTS, weak]))
    result = run_chain([path], tmp_path / "out")
    faint = [r for r in rows_of(tmp_path / "out") if r["copies"] == 0]
    assert [(round(r["y_px0"]), round(r["x_px0"])) for r in faint] == [(round(weak.row), round(weak.col))]
    assert (result.quality.weak.number, result.her2_signals) == (1, 12)


def test_glow_over_a_nucleus_is_listed_with_no_height_of_its_own(tmp_path):
    planes = draw_field(DISCS, DOTS)
    rows, cols = np.mgrid[:256, :256] + 0.5
    far = (rows - DISCS[3].row) ** 2 + (cols - DISCS[3].col) ** 2
    planes[1:] += (900 * np.exp(-far / (2 * 9.0**2))).astype(np.uint16)
    path = write_ome(tmp_path / "field.ome.tif", planes)
    result = run_chain([path], tmp_path / "out")
    glow = [r for r in rows_of(tmp_path / "out") if r["channel"] == "glow"]
    assert [(r["nucleus_id"], r["snr"], r["copies"]) for r in glow] == [(4, None, 0)]
    assert all(r["snr"] > 0 for r in rows_of(tmp_path / "out") if r["channel"] != "glow")
    assert result.excluded_nuclei == {"obscured": 1}
