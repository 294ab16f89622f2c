"""One nucleus cut out of its field: in the middle, and at the border of the image."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from her2path.domain.ish import Probe
from her2path.io.fields.crops import crop_nucleus, side_in_px
from her2path.io.fields.opening import open_field
from her2path.io.label_image import LabelImage
from tests.support.fish_fields import Disc, Dot, draw_field, write_ome

ROLES = ("dapi", "her2", "cep17")


@pytest.fixture
def cut(tmp_path):
    path = write_ome(tmp_path / "field.ome.tif", draw_field([Disc(128, 128)], [Dot(1, 128, 128)]))
    labels = np.zeros((256, 256), np.int32)
    labels[100:156, 100:156], labels[0:20, 200:256] = 1, 2
    tifffile.imwrite(tmp_path / "labels.tif", labels)

    def crop(nucleus_id, *, x, y, probe=Probe.DUAL):
        with (
            open_field([path], name="f1", channels=ROLES) as source,
            LabelImage(tmp_path / "labels.tif") as image,
        ):
            return crop_nucleus(source, image, nucleus_id, x_px0=x, y_px0=y, side_px=80, probe=probe)

    return crop


def test_a_nucleus_lies_in_the_middle_of_its_crop(cut):
    crop = cut(1, x=128.0, y=128.0)
    assert crop.corner == (88, 88)
    assert set(crop.planes) == set(ROLES)
    rows, cols = np.nonzero(crop.mask)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (12, 67, 12, 67)


def test_beyond_the_border_of_the_image_a_crop_is_as_dark_as_its_darkest_pixel(cut):
    crop = cut(2, x=240.0, y=10.0)
    assert crop.corner == (-30, 200)
    assert crop.mask.shape == (80, 80)
    assert not crop.mask[:30].any()
    assert crop.mask[30:50, :56].all()
    for plane in crop.planes.values():
        assert (plane[:30] == plane.min()).all()
        assert (plane[:, 56:] == plane.min()).all()


def test_a_single_probe_shows_no_cep17(cut):
    assert set(cut(1, x=128.0, y=128.0, probe=Probe.SINGLE).planes) == {"dapi", "her2"}


def test_a_crop_has_eight_pixels_at_least():
    assert side_in_px(18.0, 0.16) == 112
    assert side_in_px(18.0, 4.0) == 8
