"""Nuclei on DAPI: found, parted, and ruled out for the right reason."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.fish.nuclei import NucleusParams, measure_levels, number_objects, segment_nuclei
from her2path.imaging.fish.windows import Window
from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish
from tests.support.fish_fields import Disc, draw_field

MPP = 0.16
PARAMS = NucleusParams()


def segment(dapi, mpp=MPP):
    plane = np.asarray(dapi, np.float32)
    return segment_nuclei(plane, mpp=mpp, levels=measure_levels(plane, mpp=mpp, params=PARAMS), params=PARAMS)


def matched(labels, truth):
    """Number of objects that share more than half of their union with a true one."""
    count = np.zeros((labels.max() + 1, truth.max() + 1))
    np.add.at(count, (labels.ravel(), truth.ravel()), 1)
    union = count.sum(1)[:, None] + count.sum(0)[None, :] - count
    return int((count[1:, 1:] / union[1:, 1:] > 0.5).sum())


def test_a_lone_nucleus_has_its_place_and_area():
    nuclei = segment(draw_field([Disc(120.5, 90.0, radius=30)], [])[0])
    assert nuclei.exclusion == (None,)
    assert nuclei.shapes.row[0] == pytest.approx(120.5, abs=1.0)
    assert nuclei.shapes.col[0] == pytest.approx(90.0, abs=1.0)
    assert nuclei.shapes.area_um2[0] == pytest.approx(np.pi * (30 * MPP) ** 2, rel=0.1)


@pytest.mark.parametrize(
    ("discs", "reason"),
    [
        pytest.param([Disc(128, 20)], "cut_off", id="it touches the border"),
        pytest.param([Disc(128, 128, radius=16)], "too_small", id="the nucleus of a lymphocyte"),
        pytest.param([Disc(128, 128, radius=80)], "too_large", id="a clump"),
        pytest.param([Disc(128, 108), Disc(128, 142)], "overlapping", id="light adds up where two overlap"),
    ],
)
def test_shape_rules_a_nucleus_out(discs, reason):
    assert set(segment(draw_field(discs, [])[0]).exclusion) == {reason}


def test_a_spindle_is_elongated():
    dapi = np.full((256, 256), 100, np.float32)
    cv2.ellipse(dapi, (128, 128), (50, 17), 30, 0, 360, 900, cv2.FILLED)
    assert segment(cv2.GaussianBlur(dapi, (0, 0), 1.5)).exclusion == ("elongated",)


def test_a_nucleus_out_of_focus_is_ruled_out():
    dapi = draw_field([Disc(128, 128)], [])[0].astype(np.float32)
    assert segment(cv2.GaussianBlur(dapi, (0, 0), 12)).exclusion == ("out_of_focus",)


def test_two_nuclei_that_touch_are_parted():
    nuclei = segment(draw_field([Disc(128, 96), Disc(128, 161)], [])[0])
    assert len(nuclei.exclusion) == 2
    assert sorted(nuclei.shapes.col) == pytest.approx([96, 161], abs=3)


def test_a_dim_nucleus_beside_a_bright_one_is_found():
    nuclei = segment(draw_field([Disc(128, 70, level=3000), Disc(128, 180, level=300)], [])[0])
    assert sorted(nuclei.shapes.col) == pytest.approx([70, 180], abs=2)


def test_uneven_illumination_loses_no_nucleus():
    discs = [Disc(r, c, radius=22) for r in (60, 190) for c in (60, 190)]
    dapi = draw_field(discs, [])[0].astype(np.float32)
    bowl = np.linspace(1.0, 0.35, 256, dtype=np.float32)[None, :]
    assert len(segment((dapi - 100) * bowl + 100).exclusion) == 4


@pytest.mark.parametrize("mpp", [0.1, 0.16, 0.3])
def test_sizes_in_micrometres_do_not_depend_on_the_pixel_size(mpp):
    side = round(40.0 / mpp)
    nuclei = segment(draw_field([Disc(side / 2, side / 2, radius=5 / mpp)], [], size=(side, side))[0], mpp)
    assert nuclei.exclusion == (None,)
    assert nuclei.shapes.area_um2[0] == pytest.approx(np.pi * 25, rel=0.12)


def test_phantom_nuclei_are_found_and_overlaps_kept_out():
    found = true = hits = kept_overlaps = 0
    for seed in (9001, 9002, 9003):
        phantom = render_fish(FishPhantomSpec(seed=seed))
        nuclei = segment(phantom.planes[0])
        hits += matched(nuclei.labels, phantom.labels)
        found += nuclei.labels.max()
        true += int((np.bincount(phantom.labels.ravel())[1:] > 0).sum())
        overlapping = {n.nucleus_id for n in phantom.truth.nuclei if n.overlapping}
        for index, reason in enumerate(nuclei.exclusion):
            if reason is None:
                owner = np.bincount(phantom.labels[nuclei.labels == index + 1]).argmax()
                kept_overlaps += owner in overlapping
    assert 2 * hits / (found + true) >= 0.9
    assert kept_overlaps <= 2


def test_labels_run_in_reading_order():
    labels = segment(draw_field([Disc(60, 180), Disc(190, 60), Disc(60, 60)], [])[0]).labels
    first = [int(np.flatnonzero(labels.ravel() == n)[0]) for n in (1, 2, 3)]
    assert first == sorted(first)


def test_an_empty_field_has_next_to_no_contrast_and_a_bright_one_is_inverted():
    rng = np.random.default_rng(0)
    empty = rng.normal(100, 5, (256, 256)).astype(np.float32)
    assert measure_levels(empty, mpp=MPP, params=PARAMS).contrast < 6
    field = draw_field([Disc(128, 128)], [])[0].astype(np.float32)
    assert measure_levels(field, mpp=MPP, params=PARAMS).contrast > 20
    assert not measure_levels(field, mpp=MPP, params=PARAMS).inverted
    assert measure_levels(4095 - field, mpp=MPP, params=PARAMS).inverted


@pytest.mark.real
def test_nuclei_of_a_real_field_are_found(real_data):
    folder = real_data / "dapi_nuclei"
    dapi = cv2.imread(str(folder / "images" / "58406ed8ef94.png"), cv2.IMREAD_UNCHANGED)
    truth = cv2.imread(str(folder / "labels" / "58406ed8ef94.png"), cv2.IMREAD_UNCHANGED).astype(int)
    # The pixel size is not stated: it is chosen so that the median nucleus has 65 µm².
    area = np.median(np.bincount(truth.ravel())[1:])
    nuclei = segment(dapi, mpp=(65 / area) ** 0.5)
    assert 2 * matched(nuclei.labels, truth) / (nuclei.labels.max() + truth.max()) >= 0.95


def test_a_window_numbers_only_what_it_owns_and_paints_over_nothing():
    nuclei = segment(draw_field([Disc(64, 64), Disc(64, 190), Disc(190, 190)], [])[0])
    assert len(nuclei.exclusion) == 3
    left = Window(0, 0, 256, 256, 0, 0, 256, 128)
    numbers, painted = number_objects(nuclei, left, np.zeros((256, 256), np.int32), first=5)
    assert numbers.tolist() == [5, 0, 0]
    right = Window(0, 0, 256, 256, 0, 128, 256, 256)
    numbers, both = number_objects(nuclei, right, painted, first=6)
    assert numbers.tolist() == [0, 6, 7]
    np.testing.assert_array_equal(both == 5, painted == 5)
    np.testing.assert_array_equal(both > 0, nuclei.labels > 0)


def test_an_object_that_a_window_before_has_painted_is_not_numbered_again():
    nuclei = segment(draw_field([Disc(64, 64)], [])[0])
    window = Window(0, 0, 256, 256, 0, 0, 256, 256)
    painted = np.where(nuclei.labels > 0, 3, 0).astype(np.int32)
    numbers, after = number_objects(nuclei, window, painted, first=4)
    assert numbers.tolist() == [0]
    np.testing.assert_array_equal(after, painted)


def test_a_blank_field_is_told_from_one_with_nuclei():
    for discs, blank in (([], True), ([Disc(64, 64)], False)):
        plane = draw_field(discs, [])[0].astype(np.float32)
        assert measure_levels(plane, mpp=MPP, params=PARAMS).blank is blank
