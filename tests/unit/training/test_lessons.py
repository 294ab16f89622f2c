from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.imaging.ihc.learned import CALIBRATION
from her2path.imaging.stain import StainModel
from her2path.training.datasets import SceneBatches
from her2path.training.label_targets import staining_rules
from her2path.training.labels import LabelledCell, LabelledImage
from her2path.training.lesson_losses import lesson_losses
from her2path.training.lessons import Deck, Lesson, Lessons, bounds_of, taught_image
from her2path.training.scenes import Scene, compose_scene

SIDE = 192


@pytest.fixture(scope="module")
def scene() -> Scene:
    return compose_scene(500_001, side_px=256, variants=1)


def _square(left: float, side: float) -> np.ndarray:
    return np.array([(left, left), (left + side, left), (left + side, left + side), (left, left + side)])


def _image(*kinds: LabelClass, regions: dict[LabelClass, np.ndarray] | None = None) -> LabelledImage:
    cells = tuple(
        LabelledCell(kind, _square(20 + 50 * number, 40), _square(30 + 50 * number, 20))
        for number, kind in enumerate(kinds)
    )
    rgb = np.full((SIDE, SIDE, 3), 235, np.uint8)
    return LabelledImage(
        "one", (0, 0), rgb, cells, regions or {}, None, None, np.zeros((SIDE, SIDE), np.bool_)
    )


def _lessons(scene: Scene, image: LabelledImage, *, size_px: int = 128, count: int = 2) -> Lessons:
    rehearsal = SceneBatches([scene], [], 1, size_px, 4, 0)
    taught = taught_image(image, StainModel(), least_px=size_px)
    return Lessons([taught], rehearsal, CALIBRATION, seed=1, count=count, size_px=size_px)


def test_a_lesson_depends_on_the_number_of_its_step_alone(scene):
    make = _lessons(scene, _image(LabelClass.TUMOUR_3))
    one = make[3]
    torch.rand(5)
    other = make[3]
    assert one.labelled.image.equal(other.labelled.image)
    assert one.rehearsal.image.equal(other.rehearsal.image)
    assert not one.labelled.image.equal(make[4].labelled.image)


def test_lessons_leave_the_generator_of_torch_as_it_was(scene):
    make = _lessons(scene, _image(LabelClass.TUMOUR_3))
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    make[0]
    assert torch.rand(1).equal(expected)


def test_a_patch_shows_the_label_that_it_was_drawn_for(scene):
    make = _lessons(scene, _image(LabelClass.TUMOUR_3))
    for step in range(6):
        lesson = make[step]
        for patch in lesson.labelled.nucleus:
            assert (patch > 0.5).any()


def test_each_graded_cell_of_a_lesson_has_bounds_of_its_own(scene):
    make = _lessons(scene, _image(LabelClass.TUMOUR_3, LabelClass.TUMOUR_1, LabelClass.TUMOUR_0))
    for step in range(4):
        lesson = make[step]
        numbers = np.unique(lesson.graded.numpy())
        assert numbers[numbers > 0].tolist() == list(range(1, len(lesson.bounds) + 1))


def test_an_image_smaller_than_a_patch_is_laid_on_glass_that_teaches_nothing(scene):
    image = _image(LabelClass.TUMOUR_0)
    taught = taught_image(replace(image, taught=np.ones((SIDE, SIDE), np.bool_)), StainModel(), least_px=256)
    assert taught.scene.rgb.shape == (1, 256, 256, 3)
    assert (taught.scene.targets.nucleus[:, SIDE // 2 :] == 255).all()
    assert (taught.scene.targets.nucleus[: SIDE // 2 - 4, : SIDE // 2 - 4] != 255).all()


def test_rare_labels_are_drawn_oftener_than_they_occur_and_common_ones_oftener_still():
    kinds = [LabelClass.STROMA] * 2 + [LabelClass.TUMOUR_3]
    deck = Deck.of([taught_image(_image(*kinds), StainModel(), least_px=8)] * 8)
    rng = np.random.default_rng(0)
    drawn = [deck.draw(rng)[1].kind for _ in range(4000)]
    share = drawn.count("Tumor: 3+") / len(drawn)
    assert 1 / 3 < share < 1 / 2
    assert share == pytest.approx(1 / (1 + 2**0.5), abs=0.03)


def test_where_all_dab_is_taken_away_a_strong_cell_is_taught_to_show_nothing_but_a_guess():
    rules = staining_rules(IhcScore.THREE_PLUS, CALIBRATION)
    least, most, low, high = bounds_of(rules, 0.02)[0]
    assert (least, most) == (0, 1)
    assert low == pytest.approx((0.02 * CALIBRATION.strong_od_um) ** 0.5)
    assert high == np.inf


def test_a_faint_cell_that_fades_is_unstained():
    rules = staining_rules(IhcScore.ONE_PLUS, CALIBRATION)
    assert bounds_of(rules, 0.1)[:, :2].tolist() == [[0, 0], [0, 0]]


def _answered(lesson: Lesson, *, chance: float, amount_od_um: float, tumour: float = 0.5) -> dict[str, float]:
    """Losses of a network that answers everywhere alike."""
    count = len(lesson.rehearsal.image) + len(lesson.labelled.image)
    half = lesson.labelled.nucleus.shape[-1]
    fine = torch.zeros(count, 3, half, half)
    fine[:, 1], fine[:, 2] = torch.logit(torch.tensor(chance)), amount_od_um**0.5
    coarse = torch.zeros(count, 65, half // 2, half // 2)
    coarse[:, 0] = torch.logit(torch.tensor(tumour))
    split = len(lesson.rehearsal.image)
    found = lesson_losses(fine, coarse, lesson, first=(fine[:split], coarse[:split]))
    assert float(found.rehearsal.total) == pytest.approx(0, abs=1e-6)
    return {"grade": float(found.grade), "area": float(found.area)}


@pytest.mark.parametrize(
    ("kind", "chance", "amount", "is_met"),
    [
        pytest.param(LabelClass.TUMOUR_3, 0.99, 0.9, True, id="3+ taken for complete and strong"),
        pytest.param(LabelClass.TUMOUR_3, 0.99, 0.3, False, id="3+ taken for moderate"),
        pytest.param(LabelClass.TUMOUR_3, 0.5, 0.9, False, id="3+ taken for incomplete"),
        pytest.param(LabelClass.TUMOUR_2, 0.99, 0.3, True, id="2+ taken for complete and moderate"),
        pytest.param(LabelClass.TUMOUR_2, 0.5, 0.5, True, id="2+ taken for incomplete and moderate"),
        pytest.param(LabelClass.TUMOUR_2, 0.5, 0.1, False, id="2+ taken for incomplete and faint"),
        pytest.param(LabelClass.TUMOUR_1, 0.5, 0.1, True, id="1+ taken for incomplete and faint"),
        pytest.param(LabelClass.TUMOUR_1, 0.99, 0.1, True, id="1+ taken for faint all around"),
        pytest.param(LabelClass.TUMOUR_1, 0.02, 0.1, False, id="1+ taken for unstained"),
        pytest.param(LabelClass.TUMOUR_1, 0.99, 0.3, False, id="1+ taken for 2+"),
        pytest.param(LabelClass.TUMOUR_0, 0.001, 0.3, True, id="0 taken for unstained"),
        pytest.param(LabelClass.TUMOUR_0, 0.5, 0.3, False, id="0 taken for half stained"),
    ],
)
def test_the_loss_of_a_cell_vanishes_where_it_would_be_graded_as_labelled(
    scene, kind, chance, amount, is_met
):
    lesson = _lessons(scene, _image(kind), count=1)[0]
    bounds = bounds_of(staining_rules(kind.score, CALIBRATION), 1.0)
    lesson = replace(lesson, bounds=torch.from_numpy(np.repeat(bounds[None], len(lesson.bounds), axis=0)))
    assert len(lesson.bounds) == 1
    loss = _answered(lesson, chance=chance, amount_od_um=amount)["grade"]
    assert loss == pytest.approx(0, abs=0.001) if is_met else loss > 0.005


def test_an_area_drawn_as_tumour_is_met_by_half_of_its_places(scene):
    area = {LabelClass.TUMOUR: np.ones((SIDE, SIDE), np.bool_)}
    lesson = _lessons(scene, _image(regions=area), count=1)[0]
    assert _answered(lesson, chance=0.5, amount_od_um=0.1, tumour=0.6)["area"] == 0
    assert _answered(lesson, chance=0.5, amount_od_um=0.1, tumour=0.1)["area"] > 1


def test_a_lesson_without_graded_cells_has_no_loss_of_grades(scene):
    lesson = _lessons(scene, _image(LabelClass.STROMA), count=1)[0]
    assert _answered(lesson, chance=0.7, amount_od_um=0.4)["grade"] == 0
