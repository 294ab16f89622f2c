"""Known signals in real nuclei."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2path.domain.ish import IshGroup
from her2path.imaging.phantoms.fish import FishPhantomSpec, group_of, spec_for_group
from her2path.imaging.phantoms.fish_semisynthetic import enlarge_nuclei, place_signals

SPEC = FishPhantomSpec(seed=1, her2_mean=3, cep17_mean=2)


@pytest.fixture
def discs() -> tuple[np.ndarray, np.ndarray]:
    labels = np.zeros((200, 260), dtype=np.int32)
    rows, cols = np.mgrid[:200, :260]
    for number, (row, col) in {4: (60, 60), 9: (130, 190), 7: (100, 258)}.items():
        labels[(rows - row) ** 2 + (cols - col) ** 2 < 30**2] = number
    dapi = np.where(labels > 0, 180, 12).astype(np.uint8)
    return dapi, labels


def test_signals_lie_in_the_nuclei_that_the_truth_names(discs):
    phantom = place_signals(*discs, SPEC)
    assert phantom.truth.signals
    for signal in phantom.truth.signals:
        assert phantom.labels[int(signal.y_px0), int(signal.x_px0)] == signal.nucleus_id


def test_a_nucleus_at_the_border_is_cut_off_and_the_others_are_not(discs):
    phantom = place_signals(*discs, SPEC)
    assert [n.cut_off for n in phantom.truth.nuclei] == [False, True, False]


def test_the_dna_stain_is_the_real_one(discs):
    dapi, labels = discs
    phantom = place_signals(dapi, labels, SPEC)
    np.testing.assert_allclose(phantom.planes[0] / 4095, dapi / 180, atol=2e-4)


def test_the_same_seed_gives_the_same_image(discs):
    assert place_signals(*discs, SPEC).planes.tobytes() == place_signals(*discs, SPEC).planes.tobytes()


def test_signals_shine_in_their_own_channel_at_their_place(discs):
    spec = replace(SPEC, noise=0, doublet_fraction=0, her2_mean=1, her2_fano=0)
    phantom = place_signals(*discs, spec)
    orange = phantom.planes[1].astype(float)
    for signal in phantom.truth.signals:
        if signal.channel.value == "her2":
            at = orange[int(signal.y_px0), int(signal.x_px0)]
            assert at > 2 * np.median(orange[phantom.labels == signal.nucleus_id])


def test_nuclei_are_enlarged_to_the_diameter_asked_for(discs):
    dapi, labels = enlarge_nuclei(*discs, diameter_um=9.0, mpp=0.1)
    area = np.count_nonzero(labels == 4)
    assert 2 * np.sqrt(area / np.pi) * 0.1 == pytest.approx(9.0, abs=0.2)
    assert dapi.shape == labels.shape
    assert set(np.unique(labels).tolist()) == {0, 4, 7, 9}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda d, n: (d[:10], n, SPEC), "one plane of one size", id="two sizes"),
        pytest.param(lambda d, n: (d, np.zeros_like(n), SPEC), "no nucleus", id="no nucleus"),
        pytest.param(lambda d, n: (d, n, replace(SPEC, z_planes=3)), "one focal plane", id="a stack"),
    ],
)
def test_what_cannot_be_used_is_refused(discs, change, message):
    with pytest.raises(ValueError, match=message):
        place_signals(*change(*discs))


@pytest.mark.real
@pytest.mark.parametrize("group", [IshGroup.GROUP_1, IshGroup.GROUP_5])
def test_real_nuclei_carry_the_group_placed_into_them(real_data: Path, group):
    folder = real_data / "dapi_nuclei"
    name = "53ad09e43487.png"
    dapi = cv2.imread(str(folder / "images" / name), cv2.IMREAD_GRAYSCALE)
    labels = cv2.imread(str(folder / "labels" / name), cv2.IMREAD_UNCHANGED)
    assert dapi is not None
    assert labels is not None
    dapi, labels = enlarge_nuclei(dapi, labels.astype(np.int32), diameter_um=9.0, mpp=0.16)
    phantom = place_signals(dapi, labels, spec_for_group(group, FishPhantomSpec(seed=3)))
    assert phantom.truth.summary.nuclei >= 20
    assert group_of(phantom.truth.summary) is group
