from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.ihc import CELL_SCORE, IhcScore, staining_class
from her2path.domain.label_classes import LabelClass
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS, Calibration, grade
from her2path.imaging.ihc.learned import CALIBRATION
from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_labels import true_cells
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.training.label_targets import LabelTargets, staining_rules, targets_of_labels
from her2path.training.labels import LabelledCell, LabelledImage
from her2path.training.targets import RADIUS_STEPS, UNKNOWN, targets_of

SIDE = 128


def square(left: float, top: float, side: float) -> np.ndarray:
    return np.array([(left, top), (left + side, top), (left + side, top + side), (left, top + side)])


def labelled(
    *cells: LabelledCell,
    regions: dict[LabelClass, np.ndarray] | None = None,
    complete: bool = False,
    instances: np.ndarray | None = None,
) -> LabelTargets:
    taught = np.full((SIDE, SIDE), complete)
    return targets_of_labels(
        LabelledImage(
            item_id="one",
            origin=(0, 0),
            rgb=np.full((SIDE, SIDE, 3), 240, np.uint8),
            cells=cells,
            regions=regions or {},
            instances=instances,
            instances_are=None if instances is None else "nuclei",
            taught=taught,
        )
    )


def cell(kind: LabelClass, *, with_nucleus: bool = True, at: float = 40) -> LabelledCell:
    return LabelledCell(kind, square(at, at, 40), square(at + 10, at + 10, 20) if with_nucleus else None)


def test_a_wholly_labelled_phantom_teaches_what_the_phantom_itself_does():
    phantom = compose_ihc(
        IhcPhantomSpec(seed=2_050_100, width_px=256, height_px=256, mpp=0.5, classes=SCORE_PRESETS["2+"])
    )
    cells = tuple(LabelledCell(c.kind, c.cell_xy, c.nucleus_xy) for c in true_cells(phantom))
    image = LabelledImage(
        "phantom", (0, 0), photograph(phantom), cells, {}, None, None, np.ones((256, 256), np.bool_)
    )
    ours, theirs = targets_of_labels(image).targets, targets_of(phantom)
    for name in ("nucleus", "tumour", "radii", "cell_radii"):
        one, other = (getattr(found, name).astype(int) for found in (ours, theirs))
        both = (one != UNKNOWN) & (other != UNKNOWN) if name in {"nucleus", "tumour"} else one >= 0
        assert np.abs(one - other)[both].mean() < 0.01, name
        assert both.mean() > 0.6


def test_what_nobody_labelled_is_not_taught():
    found = labelled(cell(LabelClass.TUMOUR_0))
    far = np.s_[SIDE // 2 - 8 :, SIDE // 2 - 8 :]
    assert (found.targets.nucleus[far] == UNKNOWN).all()
    assert (found.targets.amount[far] == UNKNOWN).all()
    assert (found.targets.tumour[-4:, -4:] == UNKNOWN).all()


def test_where_every_cell_is_labelled_a_place_without_one_is_taught_as_empty():
    found = labelled(cell(LabelClass.TUMOUR_0), complete=True)
    assert (found.targets.nucleus[-8:, -8:] == 0).all()
    assert (found.targets.tumour[-4:, -4:] == 0).all()


def test_a_cell_of_class_0_is_taught_to_stain_nothing_at_every_place():
    amount = labelled(cell(LabelClass.TUMOUR_0)).targets.amount
    assert (amount[21:39, 21:39] == 0).all()
    assert np.count_nonzero(amount == 0) == 20 * 20


@pytest.mark.parametrize("kind", [LabelClass.TUMOUR_1, LabelClass.TUMOUR_2, LabelClass.TUMOUR_3])
def test_a_stained_cell_is_taught_as_a_whole_and_no_side_of_it(kind):
    found = labelled(cell(kind))
    assert (found.targets.amount == UNKNOWN).all()
    assert found.scores == (kind.score,)
    rows = np.nonzero(found.graded)[0]
    assert rows.min() >= 20
    assert rows.max() < 40
    # The middle of the cell and its very edge are not read.
    assert found.graded[30, 30] == 0
    assert found.graded[20, 30] == 0
    assert found.graded[23, 30] == 1


@pytest.mark.parametrize("kind", [LabelClass.TUMOUR, LabelClass.STROMA, LabelClass.IMMUNE, LabelClass.OTHER])
def test_a_class_without_a_score_teaches_nothing_of_staining(kind):
    found = labelled(cell(kind))
    assert (found.targets.amount == UNKNOWN).all()
    assert not found.graded.any()
    assert found.targets.tumour[15, 15] == int(kind.is_tumour)


def test_a_cell_without_its_nucleus_leaves_open_where_that_lies():
    found = labelled(cell(LabelClass.TUMOUR_3, with_nucleus=False), complete=True)
    assert (found.targets.nucleus[21:39, 21:39] == UNKNOWN).all()
    assert not found.targets.radii.any()
    assert found.targets.tumour[15, 15] == 1
    assert found.graded.any()


def test_outlines_are_taught_at_their_own_size():
    radii = labelled(cell(LabelClass.TUMOUR_0)).targets.radii
    row = col = 15
    # The nucleus reaches from 50 to 70 pixels; the place 15 stands for the pixel 61.5, in edges.
    assert radii[0, row, col] / RADIUS_STEPS == pytest.approx((70 - 62) * 0.5, abs=0.3)
    assert radii[16, row, col] / RADIUS_STEPS == pytest.approx((62 - 50) * 0.5, abs=0.3)


def test_a_cell_that_the_edge_cuts_is_not_graded():
    cut = LabelledCell(LabelClass.TUMOUR_3, square(-10, 40, 40), None)
    assert labelled(cut).scores == ()


def test_in_an_ignored_area_nothing_is_taught():
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    found = labelled(cell(LabelClass.TUMOUR_0), complete=True, regions={LabelClass.IGNORE: everywhere})
    for name in ("nucleus", "amount", "tumour"):
        assert (getattr(found.targets, name) == UNKNOWN).all()
    assert not found.taught


def test_an_area_of_stroma_is_no_tumour_and_one_of_tumour_is_not_taught_place_by_place():
    left = np.zeros((SIDE, SIDE), np.bool_)
    left[:, : SIDE // 2] = True
    found = labelled(regions={LabelClass.STROMA: left, LabelClass.TUMOUR: ~left})
    assert (found.targets.tumour[:, :16] == 0).all()
    assert (found.targets.tumour[:, 16:] == UNKNOWN).all()
    assert found.tumour_area[:, 16:].all()
    assert not found.tumour_area[:, :16].any()
    assert set(found.taught) == {"Stroma area", "Tumor area"}


def test_a_mask_of_nuclei_teaches_nuclei_and_not_what_they_belong_to():
    mask = np.zeros((SIDE, SIDE), np.int32)
    mask[50:70, 50:70] = 3
    found = labelled(instances=mask, complete=True)
    assert found.targets.nucleus[30, 30] > 100
    assert found.targets.nucleus[5, 5] == 0
    assert (found.targets.tumour == UNKNOWN).all()
    assert found.taught == {"nuclei": 1}


@pytest.mark.parametrize("calibration", [Calibration(), CALIBRATION], ids=["classical", "learned"])
def test_a_cell_keeps_a_rule_of_its_class_and_of_no_other_if_and_only_if_it_is_graded_so(calibration):
    # Beside the cuts, not on them: shares and amounts of a cell are never exactly there.
    shares, amounts = np.arange(0.0045, 1.0, 0.01), np.arange(0.0025, 1.0, 0.01)
    share, amount = (axis.ravel().astype(np.float32) for axis in np.meshgrid(shares, amounts))
    # Whether what is stained hangs together changes no class.
    graded = grade(share, share, amount, calibration)
    for place in range(0, len(share), 3):
        kept = {score for score in IhcScore if _keeps_one(score, share[place], amount[place], calibration)}
        intensity, pattern = INTENSITIES[graded.intensity[place]], PATTERNS[graded.pattern[place]]
        true = tuple(IhcScore)[CELL_SCORE[staining_class(intensity, pattern)]]
        # A few stained pieces are noise to the measurement; a person who writes 0 saw none of them.
        assert kept == (set() if true is IhcScore.ZERO else {true})


def _keeps_one(score: IhcScore, share: float, amount: float, calibration: Calibration) -> bool:
    return any(
        rule.share[0] <= share <= rule.share[1] and rule.amount_od_um[0] <= amount < rule.amount_od_um[1]
        for rule in staining_rules(score, calibration)
    )
