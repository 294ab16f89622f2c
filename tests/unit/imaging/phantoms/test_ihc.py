"""IHC phantoms: what they show is what their truth says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern, Reactivity, StainingClass
from her2path.imaging.ihc.clusters import largest_clusters
from her2path.imaging.phantoms.ihc import IhcPhantom, compose_ihc, photograph, render_ihc
from her2path.imaging.phantoms.ihc_nuclei import CellKind
from her2path.imaging.phantoms.ihc_spec import (
    MEMBRANE_OD,
    SCORE_PRESETS,
    STYLES,
    ClassShare,
    IhcPhantomSpec,
    intensity_of,
)
from her2path.imaging.phantoms.ihc_stain import mixed
from her2path.imaging.phantoms.ihc_tissue import border_mask, map_cells, map_tissue
from her2path.imaging.phantoms.ihc_truth import shared_borders

SMALL = IhcPhantomSpec(seed=5, width_px=640, height_px=512, mpp=0.5)


def all_of(intensity: Intensity, pattern: Pattern) -> IhcPhantom:
    return render_ihc(replace(SMALL, classes=(ClassShare(intensity, pattern, 1.0),)))


@pytest.fixture(scope="module")
def mixed_phantom() -> IhcPhantom:
    return render_ihc(replace(SMALL, classes=SCORE_PRESETS["3+"]))


def dab_of(phantom: IhcPhantom) -> np.ndarray:
    """Unmix by the true vectors and white point, the best that any method could know."""
    style = phantom.spec.style
    vectors = np.array([style.hematoxylin, style.dab])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    od = -np.log10(np.maximum(phantom.rgb, 1.0) / np.array(style.white))
    return (od @ np.linalg.pinv(vectors))[..., 1]


def test_same_spec_gives_same_bytes_and_another_seed_does_not():
    spec = replace(SMALL, width_px=300, height_px=260, classes=SCORE_PRESETS["2+"])
    first, second = render_ihc(spec), render_ihc(spec)
    assert np.array_equal(first.rgb, second.rgb)
    for name, values in first.cells.columns().items():
        assert values.tobytes() == second.cells.columns()[name].tobytes(), name
    assert not np.array_equal(first.rgb, render_ihc(replace(spec, seed=6)).rgb)


@pytest.mark.parametrize("patchiness", [0.0, 0.75, 1.0])
def test_shares_of_the_classes_hold_to_one_cell(patchiness):
    phantom = render_ihc(replace(SMALL, classes=SCORE_PRESETS["2+"], patchiness=patchiness))
    total = phantom.truth.tumour_cells
    for share in SCORE_PRESETS["2+"]:
        cells = phantom.truth.expressed.counts[share.intensity, share.pattern]
        assert abs(cells - share.fraction * total) <= 1
    assert phantom.truth.expressed.total == total
    assert phantom.truth.percentages[StainingClass.COMPLETE_WEAK_MODERATE] == pytest.approx(
        45, abs=150 / total
    )


def test_patches_put_stained_cells_side_by_side():
    spec = replace(SMALL, classes=(ClassShare(Intensity.STRONG, Pattern.COMPLETE, 0.4),))
    together, apart = (render_ihc(replace(spec, patchiness=p)) for p in (1.0, 0.0))

    def mixed_borders(phantom: IhcPhantom) -> float:
        strong = np.concatenate(
            [[False], phantom.cells.expressed_intensity[phantom.cells.is_tumour] == "strong"]
        )
        left, right = phantom.labels[:, :-1], phantom.labels[:, 1:]
        border = (left != right) & (left > 0) & (right > 0)
        return float((strong[left] != strong[right])[border].mean())

    assert mixed_borders(together) < 0.6 * mixed_borders(apart)


def test_the_truth_states_the_largest_cluster_of_each_level():
    strong, faint = (Intensity.STRONG, Pattern.COMPLETE), (Intensity.FAINT, Pattern.INCOMPLETE)
    classes = (ClassShare(*strong, 0.03), ClassShare(*faint, 0.05))
    together, apart = (
        render_ihc(replace(SMALL, classes=classes, patchiness=p)).truth.clusters for p in (1.0, 0.0)
    )
    assert together[Reactivity.STRONG] == together[Reactivity.WEAK_MODERATE] > apart[Reactivity.STRONG]
    assert together[Reactivity.FAINT] > together[Reactivity.STRONG]
    nothing = render_ihc(SMALL).truth.clusters
    assert set(nothing) == {Reactivity.FAINT, Reactivity.WEAK_MODERATE, Reactivity.STRONG}
    assert set(nothing.values()) == {0}


def test_every_cell_of_a_stained_nest_is_in_one_cluster():
    labels = np.zeros((40, 60), np.int32)
    for cell in range(1, 6):
        labels[10:30, 10 * (cell - 1) : 10 * cell] = cell
    pairs = shared_borders(labels, mpp=0.5)
    assert pairs.tolist() == [[1, 2], [2, 3], [3, 4], [4, 5]]
    assert largest_clusters(np.full(5, 3, np.int8), pairs - 1)[Reactivity.STRONG] == 5


def test_cells_that_meet_at_a_corner_do_not_lie_side_by_side():
    labels = np.zeros((20, 20), np.int32)
    labels[:10, :10], labels[10:, 10:], labels[10:, 7:10] = 1, 2, 2
    assert shared_borders(labels, mpp=0.5).tolist() == []
    assert shared_borders(labels, mpp=0.7).tolist() == [[1, 2]]
    assert shared_borders(np.zeros((4, 4), np.int32), mpp=0.5).tolist() == []


@pytest.mark.parametrize(
    ("pattern", "low", "high"),
    [(Pattern.COMPLETE, 0.93, 1.0), (Pattern.INCOMPLETE, 0.22, 0.68), (Pattern.BASOLATERAL, 0.57, 0.83)],
)
def test_expressed_completeness_follows_the_pattern(pattern, low, high):
    cells = all_of(Intensity.MODERATE, pattern).cells
    tumour = cells.is_tumour
    assert (cells.expressed_pattern[tumour] == pattern.value).all()
    assert cells.expressed_completeness[tumour].min() >= low
    assert cells.expressed_completeness[tumour].max() <= high


@pytest.mark.parametrize("intensity", [Intensity.FAINT, Intensity.WEAK, Intensity.MODERATE, Intensity.STRONG])
def test_a_nest_of_one_class_shows_that_class(intensity):
    cells = all_of(intensity, Pattern.COMPLETE).cells
    inner = cells.is_tumour & ~cells.touches_edge
    shown = cells.shown_intensity[inner]
    assert (shown == intensity.value).mean() > 0.8
    assert np.median(cells.shown_od[inner]) == pytest.approx(1.1 * MEMBRANE_OD[intensity], rel=0.15)


def test_unstained_cells_show_nothing():
    cells = render_ihc(SMALL).cells
    assert (cells.shown_intensity == Intensity.NONE.value).all()
    assert not np.nansum(cells.shown_completeness)
    assert np.isnan(cells.shown_od).all()


def test_an_unstained_cell_beside_a_stained_one_shows_border_that_it_does_not_express(mixed_phantom):
    cells = mixed_phantom.cells
    negative = cells.is_tumour & (cells.expressed_intensity == Intensity.NONE.value)
    assert not cells.expressed_completeness[negative].any()
    assert (cells.shown_completeness[negative] > 0.2).any()


def test_a_border_shows_no_less_than_the_cell_expresses(mixed_phantom):
    cells = mixed_phantom.cells
    strong = cells.is_tumour & (cells.expressed_intensity == Intensity.STRONG.value)
    assert (cells.shown_completeness[strong] >= cells.expressed_completeness[strong] - 0.02).all()


@pytest.mark.parametrize("style", sorted(STYLES))
def test_the_picture_holds_the_membrane_density_that_the_truth_states(style):
    one_class = (ClassShare(Intensity.MODERATE, Pattern.COMPLETE, 1.0),)
    phantom = render_ihc(replace(SMALL, mpp=0.25, classes=one_class, style=STYLES[style]))
    dab = dab_of(phantom)
    truth = np.nanmedian(phantom.cells.shown_od)
    # Blur takes up to a third of a membrane's peak; the blush beneath it adds about 0.1.
    assert 0.65 * truth < np.median(dab[border_mask(phantom.labels)]) < 1.2 * truth
    assert np.median(dab[phantom.labels == 0]) < 0.05


def test_light_through_stain_is_decadic_in_absolute_terms():
    spec = IhcPhantomSpec(width_px=128, height_px=128, style=STYLES["classic"])
    plane = np.zeros(spec.shape, dtype=np.float32)
    light = mixed(spec.style, plane, plane + 1, plane)
    vector = np.array(spec.style.dab) / np.linalg.norm(spec.style.dab)
    assert light[0, 0] == pytest.approx(np.array(spec.style.white) * 10**-vector, rel=1e-4)


def test_a_scene_photographed_by_another_scanner_keeps_its_truth():
    scene = compose_ihc(replace(SMALL, classes=SCORE_PRESETS["2+"]))
    blue, pale = (photograph(scene, STYLES[name]) for name in ("blue", "pale"))
    assert not np.array_equal(blue, pale)
    assert np.array_equal(photograph(scene), render_ihc(scene.spec).rgb)


def test_every_nucleus_of_the_table_is_on_the_map_of_nuclei(mixed_phantom):
    scene, cells = mixed_phantom.scene, mixed_phantom.cells
    tumour = tuple(CellKind).index(CellKind.TUMOUR)
    visible = np.isfinite(cells.nucleus_x_px0) & cells.is_tumour
    assert set(scene.nucleus_cell[1:]) - {0} == set(cells.cell_id[visible].tolist())
    assert ((scene.nucleus_kind[1:] == tumour) == (scene.nucleus_cell[1:] > 0)).all()
    own = scene.nucleus_cell[scene.nuclei]
    inside = own[own > 0] == scene.labels[own > 0]
    assert inside.mean() > 0.9


def test_labels_and_table_state_the_same_cells(mixed_phantom):
    cells, labels = mixed_phantom.cells, mixed_phantom.labels
    n = int(cells.is_tumour.sum())
    assert cells.cell_id[:n].tolist() == list(range(1, n + 1))
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:] * 0.25
    assert cells.cell_area_um2[:n] == pytest.approx(area)
    rows, cols = np.nonzero(labels == 7)
    assert (cells.x_px0[6], cells.y_px0[6]) == pytest.approx((cols.mean() + 0.5, rows.mean() + 0.5))


def test_every_tumour_nucleus_lies_in_its_cell_and_some_are_missed_by_the_section(mixed_phantom):
    cells, labels = mixed_phantom.cells, mixed_phantom.labels
    seen = np.flatnonzero(cells.is_tumour & ~np.isnan(cells.nucleus_area_um2))
    rows = cells.nucleus_y_px0[seen].astype(int).clip(0, labels.shape[0] - 1)
    cols = cells.nucleus_x_px0[seen].astype(int).clip(0, labels.shape[1] - 1)
    assert (labels[rows, cols] == cells.cell_id[seen]).mean() > 0.98
    assert (cells.nucleus_area_um2[seen] < cells.cell_area_um2[seen] * 1.2).mean() > 0.98
    assert mixed_phantom.truth.nuclei_missed_by_section == cells.is_tumour.sum() - len(seen) > 0


def test_lymphocytes_and_fibroblasts_are_in_the_table(mixed_phantom):
    cells = mixed_phantom.cells
    lymphocytes = cells.kind == "lymphocyte"
    assert lymphocytes.sum() == mixed_phantom.truth.lymphocytes > 0
    assert mixed_phantom.truth.stroma_cells > 0
    assert np.nanmedian(cells.nucleus_area_um2[lymphocytes]) == pytest.approx(28, abs=8)
    assert np.isnan(cells.cell_area_um2[lymphocytes]).all()


def test_cells_cut_by_the_edge_are_marked(mixed_phantom):
    labels = mixed_phantom.labels
    at_edge = {*labels[0], *labels[-1], *labels[:, 0], *labels[:, -1]} - {0}
    marked = set(mixed_phantom.cells.cell_id[mixed_phantom.cells.touches_edge].tolist())
    assert marked == {int(label) for label in at_edge}
    assert marked


def test_an_island_has_a_margin_of_glass():
    phantom = render_ihc(replace(SMALL, island=True, classes=SCORE_PRESETS["3+"]))
    assert not phantom.cells.touches_edge.any()
    frame = np.concatenate([phantom.rgb[:10].reshape(-1, 3), phantom.rgb[:, :10].reshape(-1, 3)])
    assert frame.mean(axis=0) == pytest.approx(phantom.spec.style.white, abs=2)


def test_glands_have_a_lumen_and_cells_taller_than_wide():
    spec = replace(SMALL, architecture="glandular", tumour_fraction=0.7)
    tissue = map_tissue(spec)
    cells = map_cells(spec, tissue)
    assert tissue.lumen.mean() > 0.02
    assert not (cells.labels[tissue.lumen] > 0).mean() > 0.1
    # The widest circle covers less of a column than of a polygon.
    solid = map_cells(SMALL, map_tissue(SMALL))

    def roundness(c):
        return np.median(np.pi * c.inradius_um[1:] ** 2 / (c.area_px[1:] * spec.mpp**2))

    assert roundness(cells) < 0.85 * roundness(solid)


def test_basolateral_cells_are_open_towards_the_lumen():
    spec = replace(
        SMALL,
        architecture="glandular",
        tumour_fraction=0.7,
        classes=(ClassShare(Intensity.STRONG, Pattern.BASOLATERAL, 1.0),),
    )
    phantom = render_ihc(spec)
    tissue = map_tissue(spec)
    # Free borders only: shared ones show the neighbour too.
    border = border_mask(phantom.labels)
    towards_lumen = border & (tissue.depth_um > 20)
    towards_stroma = border & (tissue.depth_um < 2) & (tissue.depth_um > 0)
    dab = dab_of(phantom)
    assert np.median(dab[towards_lumen]) < 0.7 * np.median(dab[towards_stroma])


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_style_renders_tissue_darker_than_glass(style):
    phantom = render_ihc(replace(SMALL, style=STYLES[style], width_px=256, height_px=256))
    assert phantom.rgb[phantom.labels > 0].mean() < np.mean(STYLES[style].white) - 8


def test_without_room_for_tumour_there_are_no_tumour_cells():
    phantom = render_ihc(
        replace(SMALL, width_px=160, height_px=160, island=True, classes=SCORE_PRESETS["3+"])
    )
    assert phantom.truth.tumour_cells == 0
    assert phantom.truth.expressed.total == 0


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"mpp": 2.0},
        {"width_px": 10},
        {"patchiness": 1.5},
        {"tumour_fraction": 0.0},
        {"classes": (ClassShare(Intensity.WEAK, Pattern.COMPLETE, 0.7),) * 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_spec_that_means_nothing_is_refused(change):
    with pytest.raises(ValueError, match="."):
        replace(SMALL, **change)


def test_a_class_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="contradictory"):
        ClassShare(Intensity.NONE, Pattern.COMPLETE, 0.1)


@pytest.mark.parametrize(
    ("od", "expected"),
    [(0.049, "none"), (0.05, "faint"), (0.15, "weak"), (0.32, "moderate"), (0.65, "strong")],
)
def test_intensity_on_and_below_each_cut(od, expected):
    assert intensity_of(od).value == expected
