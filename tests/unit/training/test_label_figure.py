from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.domain.label_classes import LabelClass
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.finder import Found, Nuclei
from her2path.imaging.ihc.rays import ANGLES
from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_labels import true_cells
from her2path.imaging.phantoms.ihc_spec import ClassShare, IhcPhantomSpec
from her2path.imaging.stain import StainAmounts
from her2path.training.label_figure import Figure, Seen, figure_of
from her2path.training.labels import LabelledCell, LabelledImage
from her2path.training.scenes import stain_model_of

SPEC = IhcPhantomSpec(
    seed=2_050_200,
    width_px=256,
    height_px=256,
    mpp=0.5,
    classes=(ClassShare(Intensity.STRONG, Pattern.COMPLETE, 1.0),),
)


class GivenNuclei:
    """Finds what it is told to find: round nuclei at given places of the image."""

    margin_um = 72.0
    tells_tumour = True

    def __init__(self, xy: np.ndarray, tumour: np.ndarray) -> None:
        self.xy, self.tumour = xy, tumour.astype(np.float32)

    def __call__(self, stains: StainAmounts, *, mpp: float, origin: tuple[int, int]) -> Found:  # noqa: ARG002
        n = len(self.xy)
        ones = np.ones(n, np.float32)
        return Found(
            Nuclei(
                x=self.xy[:, 0] - 0.5 - origin[1],
                y=self.xy[:, 1] - 0.5 - origin[0],
                radii_px=np.full((n, ANGLES), 5.0, np.float32),
                area_um2=20 * ones,
                elongation=ones,
                contrast=ones,
                coverage=ones,
                hematoxylin=ones,
                tumour=self.tumour,
            )
        )


@pytest.fixture(scope="module")
def image() -> LabelledImage:
    scene = compose_ihc(SPEC)
    cells = tuple(
        LabelledCell(cell.kind, cell.cell_xy, cell.nucleus_xy)
        for cell in true_cells(scene)
        if cell.nucleus_xy is not None
    )
    rgb = photograph(scene)
    return LabelledImage("one", (0, 0), rgb, cells, {}, None, None, np.ones((256, 256), np.bool_))


def judged(image: LabelledImage, xy: np.ndarray, tumour: np.ndarray | bool = True) -> Figure:
    tumour = np.broadcast_to(np.asarray(tumour, np.float32), len(xy))
    return figure_of([(image, stain_model_of(image.rgb))], GivenNuclei(xy, tumour), Calibration())


def middles(image: LabelledImage, *, kind: LabelClass | None = None) -> np.ndarray:
    chosen = [c.nucleus_xy for c in image.cells if c.nucleus_xy is not None and kind in (None, c.kind)]
    return np.array([(xy.min(axis=0) + xy.max(axis=0)) / 2 for xy in chosen])


def test_who_finds_each_cell_is_counted_by_how_many_of_them_are_graded_right(image):
    wanted = replace(image, cells=tuple(c for c in image.cells if c.kind is LabelClass.TUMOUR_3))
    wanted = replace(wanted, taught=np.zeros((256, 256), np.bool_))
    found = judged(wanted, middles(wanted))
    strong = found.classes["Tumor: 3+"]
    assert strong.found == strong.labelled
    assert 0.8 * strong.found <= strong.right < strong.found
    assert found.value == pytest.approx(strong.right / strong.labelled)


def test_a_tumour_cell_that_is_called_another_is_found_and_not_right(image):
    found = judged(image, middles(image), tumour=False)
    strong = found.classes["Tumor: 3+"]
    assert strong.found > 0
    assert strong.right == 0


def test_who_finds_nothing_has_a_figure_of_zero(image):
    assert judged(image, np.empty((0, 2))).value == 0


def test_a_cell_found_where_everything_is_labelled_and_none_lies_is_invented(image):
    empty = replace(image, cells=())
    assert judged(empty, np.array([(100.0, 100.0)])).invented == 1
    silent = replace(empty, taught=np.zeros((256, 256), np.bool_))
    assert judged(silent, np.array([(100.0, 100.0)])) == Figure()


def test_two_cells_found_in_one_are_one_too_many(image):
    one = image.cells[0]
    centred = replace(image, cells=(replace(one, cell_xy=_around(one.cell_xy), nucleus_xy=None),))
    found = judged(centred, np.array([(127.0, 127.0), (131.0, 131.0)]))
    assert sum(seen.labelled for seen in found.classes.values()) == 1
    assert found.invented == 1


def _around(outline: np.ndarray) -> np.ndarray:
    """Lay an outline on the middle of the image."""
    return outline - (outline.min(axis=0) + outline.max(axis=0)) / 2 + 128


def test_in_an_area_each_found_cell_counts_by_what_it_is_called(image):
    whole = np.ones((256, 256), np.bool_)
    stroma = replace(
        image, cells=(), taught=np.zeros((256, 256), np.bool_), regions={LabelClass.STROMA: whole}
    )
    xy = np.array([(100.0, 100.0), (150.0, 150.0), (150.0, 100.0)])
    found = judged(stroma, xy, tumour=np.array([True, False, False]))
    assert found.classes == {"Stroma area": Seen(labelled=3, found=3, right=2)}
    assert found.value == pytest.approx(2 / 3)


def test_cells_at_the_edge_of_an_image_and_in_ignored_areas_count_as_nothing(image):
    empty = replace(image, cells=())
    assert judged(empty, np.array([(5.0, 100.0)])) == Figure()
    ignored = replace(empty, regions={LabelClass.IGNORE: np.ones((256, 256), np.bool_)})
    assert judged(ignored, np.array([(100.0, 100.0)])) == Figure()


def test_figures_of_two_images_add_up():
    one = Figure({"Stroma": Seen(3, 2, 1)}, invented=1)
    other = Figure({"Stroma": Seen(1, 1, 1), "Tumor: 0": Seen(2, 0, 0)}, invented=2)
    assert one + other == Figure({"Stroma": Seen(4, 3, 2), "Tumor: 0": Seen(2, 0, 0)}, invented=3)


def test_nothing_labelled_and_nothing_found_is_no_figure():
    assert Figure().value is None
