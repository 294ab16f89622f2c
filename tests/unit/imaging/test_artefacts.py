"""Artefacts on small synthetic slides: what is one, and what must not be taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely

from her2path.imaging.artefact_areas import outline_areas, sum_kinds
from her2path.imaging.artefact_detection import FineDetail, detect_artefacts, measure_fine_detail
from her2path.imaging.artefact_folds import detect_folds
from her2path.imaging.artefact_marks import detect_marks, detect_opaque, hue_distance, measure_grains
from her2path.imaging.artefact_shapes import detect_bubbles, detect_coverslip_edge
from her2path.imaging.artefacts import ArtefactKind, artefact_code, join_kinds
from her2path.imaging.block_colours import join_colours, measure_block_colours
from her2path.imaging.focus import (
    FOCUS_BLOCK,
    FOCUS_MARGIN,
    TILE,
    focus_tiles,
    measure_scale_energies,
    measure_softness,
)
from her2path.imaging.stain import StainModel
from her2path.imaging.tissue import MASK_MPP, detect_tissue, measure_tissue_features

SIDE = 1024
"""Pixels of 1 µm."""
WHITE = (240.0, 240.0, 240.0)
HEMATOXYLIN = np.array([0.65, 0.70, 0.29])
DAB = np.array([0.27, 0.57, 0.78])
STAINS = StainModel(white=WHITE)
ROWS, COLS = np.mgrid[:SIDE, :SIDE].astype(np.float32)


def nuclei(seed=3, count=5000):
    """Density of hematoxylin: round nuclei of 3 µm on a fibrous ground."""
    rng = np.random.default_rng(seed)
    dots = np.zeros((SIDE, SIDE), np.float32)
    for y, x in rng.integers(0, SIDE, (count, 2)):
        cv2.circle(dots, (int(x), int(y)), 3, float(rng.uniform(0.3, 0.6)), -1)
    ground = np.abs(cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 1.0))
    return cv2.GaussianBlur(dots, (0, 0), 0.7) + 0.3 * ground


def photograph(od, blur=0.0):
    light = np.float32(240) * 10 ** -od.astype(np.float32)
    if blur:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    noise = np.random.default_rng(9).normal(0, 0.8, light.shape)
    return np.clip(np.rint(light + noise), 0, 255).astype(np.uint8)


def examined(rgb):
    small = cv2.resize(rgb, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    features = measure_tissue_features(small, white=WHITE)
    return measure_block_colours(small, white=WHITE), features, detect_tissue(features)


def codes_of(rgb):
    colours, features, tissue = examined(rgb)
    marks = detect_marks(colours, features, tissue)
    return detect_artefacts(colours, features, measure_fine_detail(rgb, STAINS), tissue, marks)


def on_mask(plane):
    size = (SIDE // FOCUS_BLOCK,) * 2
    return cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5


@pytest.fixture(scope="module")
def tissue_od():
    return nuclei()[..., None] * HEMATOXYLIN


DISC = np.hypot(ROWS - 512, COLS - 512) < 260


def test_sharp_tissue_without_artefacts_has_none(tissue_od):
    assert not codes_of(photograph(tissue_od)).any()


@pytest.mark.parametrize("pale", [1.0, 0.6], ids=["well stained", "pale"])
def test_an_area_out_of_focus_is_outlined_whatever_the_stain(tissue_od, pale):
    rgb = photograph(tissue_od * pale)
    rgb[DISC] = photograph(tissue_od * pale, blur=2.5)[DISC]
    found = codes_of(rgb) == artefact_code(ArtefactKind.OUT_OF_FOCUS)
    assert found[on_mask(DISC)].mean() > 0.8
    assert found[~on_mask(DISC)].mean() < 0.02


def test_a_blur_that_scanners_differ_by_is_not_out_of_focus(tissue_od):
    assert not codes_of(photograph(tissue_od, blur=0.6)).any()


@pytest.mark.parametrize(
    "ink",
    [(0.95, 0.55, 0.12), (0.95, 0.25, 0.60), (0.08, 0.85, 0.75), (1.2, 1.15, 1.1)],
    ids=["blue", "green", "red", "black"],
)
def test_ink_is_found_on_tissue_and_on_glass(tissue_od, ink):
    od = np.where((COLS < 700)[..., None], tissue_od, 0)
    stroke = np.abs(ROWS - 500) < 60
    found = codes_of(photograph(od + stroke[..., None] * np.array(ink))) == artefact_code(ArtefactKind.PEN)
    assert found[on_mask(stroke)].mean() > 0.95
    assert found[~on_mask(np.abs(ROWS - 500) < 90)].mean() < 0.01


@pytest.mark.parametrize("stain", [HEMATOXYLIN, DAB, (HEMATOXYLIN + DAB) / 2, (0.7336, 0.6186, 0.2814)])
def test_no_stain_has_the_hue_of_ink(stain):
    flat = photograph(np.broadcast_to(np.asarray(stain) * 0.8, (64, 64, 3)))
    assert hue_distance(measure_block_colours(flat, white=WHITE)).max() < 0.02


def test_strong_membranes_are_neither_ink_nor_opaque_nor_a_fold(tissue_od):
    cells = cv2.GaussianBlur(np.random.default_rng(1).normal(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 5)
    membranes = np.abs(cells / cells.std()) < 0.25
    rgb = photograph(tissue_od + 1.2 * membranes[..., None] * DAB)
    colours, features, tissue = examined(rgb)
    pen, dirt = detect_marks(colours, features, tissue)
    assert not (pen | dirt | detect_opaque(colours) | folds(rgb)).any()


def folds(rgb):
    colours, _, tissue = examined(rgb)
    return detect_folds(colours, measure_softness(measure_scale_energies(rgb), tissue), tissue)


def folded(tissue_od, band, blur=1.0):
    """Tissue with a second layer in a band, in which both layers are a little out of focus."""
    other = np.roll(tissue_od, (311, 173), axis=(0, 1))
    even = 0.12 * HEMATOXYLIN
    sharp, soft = (photograph(tissue_od + even + band[..., None] * (other + even), blur=b) for b in (0, blur))
    return np.where(band[..., None], soft, sharp)


STRAIGHT = np.abs((ROWS - 512) - 0.4 * (COLS - 512)) < 22
BENT = np.abs(ROWS - 512 - 60 * np.sin(COLS / 90)) < 22


@pytest.mark.parametrize("band", [STRAIGHT, BENT], ids=["straight", "bent"])
def test_a_fold_is_a_band_of_two_layers_out_of_focus(tissue_od, band):
    found = folds(folded(tissue_od, band))
    assert found[on_mask(band)].mean() > 0.6
    around = cv2.dilate(band.astype(np.uint8), np.ones((61, 61))) > 0
    assert found[~on_mask(around)].mean() < 0.01


def test_a_cord_as_sharp_as_its_surroundings_is_no_fold(tissue_od):
    assert not folds(folded(tissue_od, STRAIGHT, blur=0)).any()


def test_a_row_of_stained_cells_is_no_fold(tissue_od):
    stained = np.where(STRAIGHT[..., None], tissue_od + 0.25 * DAB, tissue_od)
    rgb = np.where(STRAIGHT[..., None], photograph(stained, blur=0.8), photograph(tissue_od))
    assert not folds(rgb).any()


def test_a_dense_aggregate_of_lymphocytes_is_no_fold(tissue_od):
    crowd = nuclei(seed=5, count=60000)[..., None] * HEMATOXYLIN
    od = np.where((np.hypot(ROWS - 500, COLS - 500) < 120)[..., None], crowd, tissue_od)
    assert not folds(photograph(od)).any()


def test_softness_is_measured_beside_the_surroundings(tissue_od):
    rgb = np.where(DISC[..., None], photograph(tissue_od, blur=1.2), photograph(tissue_od))
    within, whole = (measure_scale_energies(part) for part in (rgb, photograph(tissue_od, blur=1.2)))
    tissue = np.ones(within.shape[:2], bool)
    rim = on_mask(np.abs(np.hypot(ROWS - 512, COLS - 512) - 220) < 25)
    assert measure_softness(within, tissue)[rim].mean() < -0.15
    assert abs(measure_softness(whole, tissue)[rim].mean()) < 0.05


def grains(colour, seed=2, count=260):
    """Density of a crowd of grains of 2 to 3 µm in the middle."""
    rng = np.random.default_rng(seed)
    dots = np.zeros((SIDE, SIDE), np.float32)
    for y, x in rng.normal(512, 45, (count, 2)).astype(int):
        cv2.circle(dots, (int(x), int(y)), 1, 1.0, -1)
    return dots[..., None] * np.array(colour, np.float32)


CROWD = np.hypot(ROWS - 512, COLS - 512) < 60


def test_a_crowd_of_black_grains_is_found_whatever_it_lies_on(tissue_od):
    cells = 0.4 * (COLS < 512)[..., None] * DAB
    found = codes_of(photograph(tissue_od + cells + grains((0.8, 0.82, 0.85))))
    assert (found == artefact_code(ArtefactKind.PIGMENT))[on_mask(CROWD)].mean() > 0.7
    assert not found[~on_mask(np.hypot(ROWS - 512, COLS - 512) < 220)].any()


@pytest.mark.parametrize("colour", [1.5 * DAB, 1.5 * HEMATOXYLIN, DAB + HEMATOXYLIN])
def test_grains_in_the_hue_of_the_stains_are_left_alone(tissue_od, colour):
    found = codes_of(photograph(tissue_od + grains(colour)))
    assert not (found == artefact_code(ArtefactKind.PIGMENT)).any()


def test_a_bubble_is_its_ring_and_what_it_encloses(tissue_od):
    away = np.hypot(ROWS - 480, COLS - 560)
    ring = 0.9 * np.exp(-(((away - 150) / 7) ** 2))
    colours, _, _ = examined(photograph(tissue_od + ring[..., None]))
    found = detect_bubbles(colours)
    assert found[on_mask(away < 145)].all()
    assert not found[~on_mask(away < 190)].any()


def test_the_wall_of_a_stained_gland_is_no_bubble(tissue_od):
    away = np.hypot(ROWS - 480, COLS - 560)
    wall = np.abs(away - 110) < 12
    stain = 0.9 * (HEMATOXYLIN + DAB)
    colours, _, _ = examined(
        photograph(np.where((away < 100)[..., None], 0, tissue_od + wall[..., None] * stain))
    )
    assert not detect_bubbles(colours).any()


def test_the_edge_of_the_coverslip_takes_the_blurred_side_with_it(tissue_od):
    across = COLS - 640 - 0.1 * ROWS
    line = 0.8 * np.exp(-((across / 7) ** 2))
    sharp, soft = (photograph(tissue_od + line[..., None], blur=blur) for blur in (0.0, 3.0))
    rgb = np.where((across > 0)[..., None], soft, sharp)
    colours, _, tissue = examined(rgb)
    blurred = on_mask(across > 0)
    found = detect_coverslip_edge(colours, tissue, blurred & tissue)
    assert found[on_mask(across > 10)].mean() > 0.9
    assert not found[on_mask(across < -40)].any()


def test_where_two_kinds_meet_the_cause_outweighs_the_blur():
    everywhere = np.ones((2, 2), bool)
    found = {ArtefactKind.PEN: everywhere, ArtefactKind.OUT_OF_FOCUS: everywhere}
    assert (join_kinds(found, shape=(2, 2)) == artefact_code(ArtefactKind.PEN)).all()


def test_colours_do_not_depend_on_the_bands_a_slide_is_read_in(tissue_od):
    rgb = cv2.resize(photograph(tissue_od), (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    whole = measure_block_colours(rgb, white=WHITE)
    joined = join_colours([measure_block_colours(part, white=WHITE) for part in (rgb[:200], rgb[200:])])
    assert joined.floor == pytest.approx(whole.floor, abs=1e-6)
    assert joined.blue == pytest.approx(whole.blue, abs=1e-6)


def test_fine_detail_does_not_depend_on_the_tiles_a_slide_is_read_in(tissue_od):
    rgb = np.tile(photograph(tissue_od), (2, 1, 1))
    shape = (2 * SIDE // FOCUS_BLOCK, SIDE // FOCUS_BLOCK)
    whole = measure_fine_detail(rgb, STAINS)
    joined = FineDetail.unread(shape)
    tiles = list(focus_tiles(np.ones(shape, bool), (2 * SIDE, SIDE)))
    for tile in tiles:
        part = rgb[slice(*tile.rows), slice(*tile.columns)]
        joined.place(measure_fine_detail(part, STAINS), tile)
    assert len(tiles) == 2 * SIDE // FOCUS_BLOCK // TILE
    assert tiles[1].rows[0] == SIDE - FOCUS_MARGIN
    assert joined.energies == pytest.approx(whole.energies, abs=1e-3)
    assert (joined.black_grains == whole.black_grains).all()


def test_only_the_part_of_a_tile_with_tissue_is_read_and_it_reads_the_same(tissue_od):
    rgb = photograph(tissue_od)
    tissue = np.zeros((SIDE // FOCUS_BLOCK,) * 2, bool)
    tissue[40:60, 30:90] = True
    (tile,) = focus_tiles(tissue, (SIDE, SIDE))
    part = rgb[slice(*tile.rows), slice(*tile.columns)]
    assert part.shape[0] * part.shape[1] < 0.3 * SIDE**2
    found = FineDetail.unread(tissue.shape)
    found.place(measure_fine_detail(part, STAINS), tile)
    whole = measure_fine_detail(rgb, STAINS)
    assert found.energies[tissue] == pytest.approx(whole.energies[tissue], abs=1e-3)
    assert (found.black_grains[tissue] == whole.black_grains[tissue]).all()


def test_an_area_becomes_one_valid_polygon_with_its_hole():
    codes = np.zeros((20, 20), np.uint8)
    codes[4:14, 4:14] = artefact_code(ArtefactKind.FOLD)
    codes[8:10, 8:10] = 0
    (area,) = outline_areas(codes, px0_per_px=32.0)
    assert area.kind is ArtefactKind.FOLD
    assert area.polygon.is_valid
    assert area.polygon.covers(shapely.Point(5 * 32, 5 * 32))
    assert not area.polygon.covers(shapely.Point(9 * 32, 9 * 32))
    assert area.area_mm2 == pytest.approx(96 * MASK_MPP**2 / 1e6)


def test_the_share_of_a_kind_counts_tissue_only():
    codes = np.zeros((4, 4), np.uint8)
    codes[:, :2] = artefact_code(ArtefactKind.PEN)
    tissue = np.zeros((4, 4), bool)
    tissue[:, 1:] = True
    (pen,) = sum_kinds(codes, tissue)
    assert (pen.areas, pen.tissue_frac) == (1, pytest.approx(4 / 12))


@pytest.mark.parametrize("shape", [(40, 48), (8, 16), (8, 200)], ids=["field", "small", "strip"])
def test_grains_are_those_of_openings_of_the_whole_plane(shape):
    rng = np.random.default_rng(3)
    grey = 10 ** -np.abs(cv2.GaussianBlur(rng.normal(0.2, 1.2, shape).astype(np.float32), (0, 0), 0.7))
    od = -np.log10(np.repeat(grey[..., None], 3, axis=2)).astype(np.float32)
    total = cv2.transform(od, np.ones((1, 3), np.float32))
    diagonal = np.eye(5, dtype=np.uint8)
    lines = (np.ones((1, 5), np.uint8), np.ones((5, 1), np.uint8), diagonal, diagonal[::-1].copy())
    opened = np.max([cv2.morphologyEx(total, cv2.MORPH_OPEN, line) for line in lines], axis=0)
    expected = (total - opened > 0.45) & (total > 0.6)
    found = measure_grains(od, STAINS, block=1) > 0
    assert found.any()
    assert not (found & ~expected).any()
