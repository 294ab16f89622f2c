"""Step fish_nuclei: objects and labels agree, regions and unfit images are honoured."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from her2path.errors import ChannelError, PixelSizeError, UnsuitableImageError
from her2path.imaging.fish import windows
from her2path.io.tables import FISH_OBJECTS, read_table
from tests.support.fish_fields import Disc, Dot, chain_steps, draw_field, run_chain, write_ome

DISCS = [Disc(r, c) for r in (64, 190) for c in (64, 190)]
DOTS = [Dot(k, d.row + 12 * k, d.col + 6) for d in DISCS for k in (1, 2)]


@pytest.fixture
def field(tmp_path):
    return write_ome(tmp_path / "field.ome.tif", draw_field(DISCS, DOTS))


def polygon(path, ring):
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}))
    return path


def test_table_and_label_image_hold_the_same_nuclei(tmp_path, field):
    run_chain([field], tmp_path / "out")
    labels = tifffile.imread(tmp_path / "out" / "fish_labels.tif")
    objects = read_table(tmp_path / "out" / "fish_objects.parquet", FISH_OBJECTS).to_pydict()
    assert labels.shape == (256, 256)
    assert objects["nucleus_id"] == [1, 2, 3, 4]
    for number, x, y, area in zip(
        objects["nucleus_id"], objects["x_px0"], objects["y_px0"], objects["area_um2"], strict=True
    ):
        assert labels[int(y), int(x)] == number
        assert (labels == number).sum() * 0.16**2 == pytest.approx(area, rel=0.05)


def objects_of(path, out, **row):
    """Rows of fish_objects, without running the steps behind it."""
    for name, step in chain_steps([path], out, **row):
        step()
        if name == "fish_nuclei":
            break
    return read_table(out / "fish_objects.parquet", FISH_OBJECTS).to_pydict()


def test_nuclei_that_may_be_counted_are_ranked_and_the_others_are_not(tmp_path):
    medium, cut_off, large = Disc(64, 64), Disc(200, 20), Disc(200, 110, radius=44)
    planes = draw_field([medium, Disc(128, 200), cut_off, large], [])
    objects = objects_of(write_ome(tmp_path / "f.ome.tif", planes), tmp_path / "out")
    ranks = dict(zip(objects["nucleus_id"], objects["rank"], strict=True))
    labels = tifffile.imread(tmp_path / "out" / "fish_labels.tif")
    assert sorted(rank for rank in ranks.values() if rank) == [1, 2, 3]
    assert ranks[labels[200, 10]] is None
    assert ranks[labels[200, 110]] == 3


def test_the_share_of_a_nucleus_at_full_scale_is_written_and_rules_it_out(tmp_path):
    discs = [Disc(r, c) for r in (64, 190) for c in range(64, 700, 100)]
    dots = [Dot(k, d.row + 12 * k, d.col + 6) for d in discs for k in (1, 2)]
    planes = draw_field([*discs[:-1], Disc(190, 664, level=6000)], dots, size=(256, 740))
    objects = objects_of(write_ome(tmp_path / "f.ome.tif", planes), tmp_path / "out")
    shares = dict(zip(objects["exclusion"], objects["dapi_saturated_frac"], strict=True))
    assert shares["dapi_saturated"] > 0.8
    assert shares[None] == 0.0


def test_nuclei_outside_the_tumour_or_in_an_excluded_region_are_not_counted(tmp_path, field):
    left = polygon(tmp_path / "left.geojson", [[0, 0], [128, 0], [128, 256], [0, 256]])
    top = polygon(tmp_path / "top.geojson", [[0, 0], [256, 0], [256, 128], [0, 128]])
    result = run_chain([field], tmp_path / "out", tumour_roi=left, exclude_roi=top)
    assert result.excluded_nuclei == {"excluded_region": 2, "outside_tumour_region": 1}
    assert len(result.nuclei) == 1


@pytest.mark.parametrize(
    ("planes", "code"),
    [
        pytest.param(draw_field([], []), "blank_field", id="a blank field"),
        pytest.param(4095 - draw_field(DISCS, []), "bright_field", id="dark objects on a bright ground"),
        pytest.param(np.full((3, 256, 256), 7, np.uint16), "blank_field", id="a constant field"),
        pytest.param(np.zeros((3, 256, 256), np.uint16), "blank_field", id="a black field"),
    ],
)
def test_an_image_without_nuclei_is_refused_and_leaves_nothing(tmp_path, planes, code):
    path = write_ome(tmp_path / "field.ome.tif", planes)
    with pytest.raises(UnsuitableImageError) as error:
        run_chain([path], tmp_path / "out")
    assert error.value.code == code
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["slide.json"]


def test_a_field_without_pixel_size_is_refused_before_any_count(tmp_path):
    path = write_ome(tmp_path / "f.ome.tif", draw_field(DISCS, DOTS), PhysicalSizeX=None, PhysicalSizeY=None)
    with pytest.raises(PixelSizeError, match="`mpp`"):
        run_chain([path], tmp_path / "out")


def test_a_dual_probe_needs_both_probe_channels(tmp_path):
    path = write_ome(tmp_path / "field.ome.tif", draw_field(DISCS, DOTS)[:2])
    with pytest.raises(ChannelError, match="no CEP17"):
        run_chain([path], tmp_path / "out")


def test_a_scan_in_windows_gives_the_nuclei_of_the_whole(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    discs = [
        Disc(70 + 100 * r + rng.uniform(-12, 12), 70 + 100 * c + rng.uniform(-12, 12), rng.uniform(24, 34))
        for r in range(6)
        for c in range(8)
    ]
    dots = [Dot(k, d.row + 10 * k, d.col + 5) for d in discs for k in (1, 1, 2)]
    path = write_ome(tmp_path / "field.ome.tif", draw_field(discs, dots, size=(640, 840)))
    whole = run_chain([path], tmp_path / "whole")
    monkeypatch.setattr(windows, "_WHOLE_PX", 300)
    monkeypatch.setattr(windows, "_CORE_PX", 250)
    parts = run_chain([path], tmp_path / "parts")
    objects = [
        read_table(tmp_path / name / "fish_objects.parquet", FISH_OBJECTS).to_pydict()
        for name in ("whole", "parts")
    ]
    one, other = (np.column_stack([o["x_px0"], o["y_px0"]]) for o in objects)
    assert len(one) == len(other) == 48
    apart = np.abs(one[:, None] - other[None]).max(axis=2)
    assert (apart.min(axis=1) <= 0.6).all()
    assert (whole.her2_signals, whole.cep17_signals) == (parts.her2_signals, parts.cep17_signals)
    assert whole.excluded_nuclei == parts.excluded_nuclei
