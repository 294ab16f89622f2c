"""Labels come onto the model's pixels where they were drawn, at any pixel size and in any window."""

import json

import numpy as np
import pytest

from her2path.domain.label_classes import LabelClass
from her2path.errors import LabelError
from her2path.imaging.outlines import inside, paint
from her2path.io.dataset_documents import DatasetDoc, DatasetItem
from her2path.io.documents import Producer
from her2path.io.phantom_files import write_slide
from her2path.io.pictures import write_picture
from her2path.training.label_windows import labelled_images
from tests.support.labelled_phantoms import labelled, masks_folder, write_labelled_cells


def item_of(kind, image, **changes):
    known = {"item_id": "a", "image_sha256": "", "mpp": 0.5, "patient_id": "p", "source": "s"}
    return DatasetItem(kind=kind, image=image, licence="l", split="train", labelled={}, **known | changes)


def images_of(folder, item):
    dataset = DatasetDoc(
        produced_by=Producer(step="test", version="0"),
        name="t",
        seed=0,
        items=(item,),
        classes={},
        patients={},
    )
    return list(labelled_images(folder / "manifest.json", dataset, item))


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A phantom, and the one labelled image that is read back from its files."""
    folder = tmp_path_factory.mktemp("cells")
    found = labelled(3, side_px=250)
    write_labelled_cells(folder, "c", found, patient_id="p")
    (image,) = images_of(
        folder, item_of("cells", "c.tif", labels="c.geojson", labels_sha256="", complete=True)
    )
    return found, image


def test_cells_lie_where_they_were_composed(cells):
    found, image = cells
    true = found.scene.labels > 0
    read = paint([cell.cell_xy for cell in image.cells if cell.kind.is_tumour], image.rgb.shape[:2]) > 0
    wrong = (read[:250, :250] != true).mean()
    shifted = [
        (np.roll(read, shift, axis)[:250, :250] != true).mean() for shift in (-1, 1) for axis in (0, 1)
    ]
    assert wrong < 0.002  # outlines are written in tenths of a pixel and with fewer corners
    assert min(shifted) > 4 * wrong


def test_nuclei_lie_where_they_were_composed(cells):
    found, image = cells
    read = paint([c.nucleus_xy for c in image.cells if c.nucleus_xy is not None], image.rgb.shape[:2]) > 0
    assert (read[:250, :250] != (found.scene.nuclei > 0)).mean() < 0.004


def test_edges_are_multiples_of_eight_and_nothing_is_taught_beyond_the_image(cells):
    _, image = cells
    assert image.rgb.shape == (256, 256, 3)
    assert image.taught[:250, :250].all()
    assert not image.taught[250:].any()
    assert (image.rgb[250:] == 255).all()


def square(x, y, side):
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def write_geojson(path, *features):
    path.write_text(
        json.dumps(
            [
                {
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                    "properties": {"objectType": kind, "classification": {"name": words}},
                }
                for kind, words, ring in features
            ]
        )
    )


@pytest.fixture
def fine(tmp_path):
    """A field of 400 x 320 pixels of 0.25 µm: grey, with a white square from (80, 40) on, 60 pixels wide."""
    rgb = np.full((320, 400, 3), 120, np.uint8)
    rgb[40:100, 80:140] = 255
    write_picture(tmp_path / "f.png", rgb)
    return tmp_path


def test_labels_of_a_finer_image_meet_its_picture(fine):
    write_geojson(fine / "f.geojson", ("cell", "Tumor: 2+", square(80, 40, 60)))
    (image,) = images_of(fine, item_of("cells", "f.png", labels="f.geojson", labels_sha256="", mpp=0.25))
    bright = image.rgb[:160, :200, 0] == 255
    assert np.array_equal(inside([image.cells[0].cell_xy], (160, 200)), bright)


def test_where_not_all_is_labelled_only_cells_and_framed_areas_teach(fine):
    frame = ("annotation", "Region*", square(200, 200, 100))
    write_geojson(fine / "f.geojson", ("cell", "Tumor", square(80, 40, 60)), frame)
    (image,) = images_of(fine, item_of("cells", "f.png", labels="f.geojson", labels_sha256="", mpp=0.25))
    assert image.taught.sum() == 30**2 + 50**2


def test_nothing_is_taught_where_it_is_to_be_ignored(fine):
    areas = [("annotation", "Ignore*", square(0, 0, 400)), ("cell", "Tumor", square(80, 40, 60))]
    write_geojson(fine / "f.geojson", *areas)
    item = item_of("cells", "f.png", labels="f.geojson", labels_sha256="", mpp=0.25, complete=True)
    (image,) = images_of(fine, item)
    assert not image.taught[:, :200].any()
    assert image.regions[LabelClass.IGNORE].sum() == 200 * 160


def test_areas_are_masks_by_class_and_say_nothing_of_single_cells(fine):
    areas = [("annotation", "Stroma", square(0, 0, 40)), ("annotation", "Stroma", square(100, 0, 40))]
    write_geojson(fine / "f.geojson", *areas)
    (image,) = images_of(fine, item_of("regions", "f.png", labels="f.geojson", labels_sha256="", mpp=0.25))
    assert {kind: int(mask.sum()) for kind, mask in image.regions.items()} == {LabelClass.STROMA: 800}
    assert not image.taught.any()


def test_numbered_nuclei_of_a_mask_come_as_they_are(tmp_path):
    masks_folder(tmp_path, images=1)
    item = item_of("masks", "f0.png", labels="f0_mask.tif", labels_sha256="", mask_of="nuclei", complete=True)
    (image,) = images_of(tmp_path, item)
    assert image.instances_are == "nuclei"
    assert np.array_equal(image.instances > 0, labelled(200).scene.nuclei > 0)
    assert image.taught.all()


def test_a_mask_of_another_size_is_refused(fine):
    write_picture(fine / "m.png", np.full((160, 200, 3), 255, np.uint8))
    item = item_of("masks", "f.png", labels="m.png", labels_sha256="", mask_of="Tumor", mpp=0.25)
    with pytest.raises(LabelError, match="the mask is 200 x 160 pixels, its image 400 x 320"):
        images_of(fine, item)


def test_a_coarser_image_is_refused_and_never_magnified(fine):
    with pytest.raises(LabelError, match=r"1 µm a pixel, coarser than the 0\.5 µm"):
        images_of(fine, item_of("tile", "f.png", score="2+", mpp=1.0))


def test_of_a_large_slide_only_windows_with_labels_are_read(tmp_path):
    block = np.full((1024, 1024, 3), 200, np.uint8)
    write_slide(tmp_path / "s.tif", block, mpp=0.5, repeat=4)
    write_geojson(
        tmp_path / "s.geojson",
        ("cell", "Tumor", square(3000, 1500, 20)),
        ("cell", "Tumor", square(1014, 3, 20)),
    )
    found = images_of(tmp_path, item_of("cells", "s.tif", labels="s.geojson", labels_sha256=""))
    assert [image.origin for image in found] == [(0, 0), (0, 1024), (1024, 2048)]
    left, right, alone = (inside([image.cells[0].cell_xy], (1024, 1024)).sum() for image in found)
    assert (left, right, alone) == (10 * 20, 10 * 20, 20 * 20)


def test_of_a_slide_with_a_score_windows_of_tissue_are_read(tmp_path):
    tissue = np.tile(labelled(9, side_px=512).rgb, (2, 2, 1))
    block = np.full((1024, 2048, 3), 244, np.uint8)
    block[:, :1024] = tissue
    write_slide(tmp_path / "s.tif", block, mpp=0.5, repeat=2)
    found = images_of(tmp_path, item_of("slide", "s.tif", score="2+"))
    assert [image.origin for image in found] == [(0, 0), (0, 2048), (1024, 0), (1024, 2048)]
    assert {image.score for image in found} == {"2+"}
