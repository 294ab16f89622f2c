"""Random IHC phantoms: together they cover the range of tissue, stain, scanner and score."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.phantoms.ihc_random import MIN_ANGLE_DEG, random_classes, random_spec, random_style

SPECS = [random_spec(500_000 + number, size_px=512, mpp=0.25) for number in range(400)]


def test_size_pixel_size_and_seed_are_those_asked_for():
    spec = SPECS[7]
    assert (spec.seed, spec.width_px, spec.height_px, spec.mpp) == (500_007, 512, 512, 0.25)


def test_every_architecture_and_kind_of_artefact_occurs():
    assert {spec.architecture for spec in SPECS} == {"solid", "glandular", "trabecular", "discohesive"}
    assert {artefact.kind for spec in SPECS for artefact in spec.artefacts} == set(ArtefactKind)


def test_most_slides_have_no_artefact():
    assert 0.3 < np.mean([bool(spec.artefacts) for spec in SPECS]) < 0.5
    assert not any(random_spec(spec.seed, artefacts=False).artefacts for spec in SPECS[:50])


def test_every_stained_class_occurs_and_some_slides_have_none():
    found = {(share.intensity, share.pattern) for spec in SPECS for share in spec.classes}
    stained = {
        (intensity, pattern)
        for intensity in Intensity
        for pattern in Pattern
        if intensity is not Intensity.NONE and pattern is not Pattern.NONE
    }
    assert found == stained
    assert any(not spec.classes for spec in SPECS)


def test_mixes_crowd_around_ten_per_cent_and_some_are_all_strong():
    fractions = np.array([share.fraction for spec in SPECS for share in spec.classes])
    assert (np.abs(fractions - 0.10) < 0.02).sum() > 40
    strong = [sum(s.fraction for s in spec.classes if s.intensity is Intensity.STRONG) for spec in SPECS]
    assert (np.array(strong) > 0.9).sum() > 5


def test_nuclei_range_from_pale_to_dark():
    gain = np.array([spec.style.hematoxylin_gain for spec in SPECS])
    assert gain.min() < 0.4
    # Chromatin has an OD of up to 0.62 before the gain.
    assert 0.62 * gain.max() > 1.0


@pytest.mark.parametrize(
    "name",
    ["cytoplasm_dab_od", "nuclear_dab_od", "stroma_dab_od", "edge_dab_od", "ducts_per_mm2",
     "vessels_per_mm2", "aggregates_per_mm2", "necrosis_fraction"],
)  # fmt: skip
def test_every_confounder_is_there_in_some_and_absent_in_most(name):
    there = np.array([getattr(spec.detail, name) > 0 for spec in SPECS])
    assert 0.08 < there.mean() < 0.7


def test_chromogen_spreads_where_most_membranes_are_strong():
    wide = [spec.detail.dab_spread for spec in SPECS if spec.detail.dab_spread > 0.4]
    assert wide
    assert max(wide) > 0.6


def test_styles_stay_within_what_laboratories_and_scanners_do():
    rng = np.random.default_rng(1)
    for style in (random_style(rng) for _ in range(200)):
        assert 60 <= style.jpeg_quality <= 95
        assert min(style.white) >= 205
        h, d = (np.array(v) / np.linalg.norm(v) for v in (style.hematoxylin, style.dab))
        # Two stains that point in one direction could not be told apart.
        assert np.degrees(np.arccos(h @ d)) > MIN_ANGLE_DEG
        assert d[2] > d[1] > d[0]


def test_shares_of_a_mix_never_exceed_the_whole():
    rng = np.random.default_rng(3)
    assert max(sum(share.fraction for share in random_classes(rng)) for _ in range(500)) <= 1 + 1e-9
