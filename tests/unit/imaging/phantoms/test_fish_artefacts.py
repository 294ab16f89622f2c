"""Red blood cells and blobs: what they hide is not counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, true_fish
from her2path.imaging.phantoms.fish_artefacts import hidden_by, render_artefacts
from her2path.imaging.phantoms.fish_layout import Layout
from her2path.imaging.phantoms.fish_truth import TrueExclusion

EMPTY = Layout((), 1000, 1200, margin=75)


def test_artefacts_shine_in_every_colour_and_most_in_the_probes():
    light = render_artefacts(EMPTY, FishPhantomSpec(artefacts=5), np.random.default_rng(1))
    dapi, her2, cep17 = light.reshape(3, -1).sum(axis=1)
    assert 0 < dapi < her2
    assert 0 < dapi < cep17


def test_no_artefacts_hide_nothing():
    light = render_artefacts(EMPTY, FishPhantomSpec(artefacts=0), np.random.default_rng(1))
    assert not hidden_by(light).any()


def test_a_nucleus_under_an_artefact_is_not_evaluable_and_only_such():
    spec = FishPhantomSpec(seed=2, artefacts=8)
    truth = true_fish(spec)
    excluded = [n for n in truth.nuclei if n.exclusion is TrueExclusion.OBSCURED]
    assert excluded
    assert all(n.obscured and not n.cut_off and not n.overlapping for n in excluded)
    assert not any(n.obscured for n in true_fish(replace(spec, artefacts=0)).nuclei)
    assert not any(n.obscured for n in truth.evaluable)


def test_an_obscured_nucleus_is_brighter_than_without_artefacts():
    spec = FishPhantomSpec(seed=2, artefacts=8, noise=0)
    hidden, clear = render_fish(spec), render_fish(replace(spec, artefacts=0))
    for nucleus in hidden.truth.nuclei:
        if nucleus.exclusion is TrueExclusion.OBSCURED:
            inside = hidden.labels == nucleus.nucleus_id
            gained = hidden.planes[1:, inside].astype(float) - clear.planes[1:, inside]
            assert gained.max() >= 0.5 * 300 / 3
