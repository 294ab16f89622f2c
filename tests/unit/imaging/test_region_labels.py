from __future__ import annotations

import numpy as np
import shapely

from her2path.imaging.region_labels import label_areas
from her2path.imaging.regions import region_mask


def test_areas_are_labelled_alike_above_and_below_the_border_of_a_band():
    area = shapely.MultiPolygon([shapely.Polygon([(10, 0), (60, 1300), (3, 1190)])])
    whole = region_mask(area, shape=(1300, 70), px0_per_px=1.0)
    labels = label_areas([area], shape=(1300, 70), px0_per_px=1.0, px0_per_mask_px=8.0)
    assert np.array_equal(labels == 1, whole)


def test_a_mask_of_coarser_pixels_fills_the_pixels_whose_centres_it_holds():
    mask = np.array([[False, True], [False, False]])
    labels = label_areas([mask], shape=(6, 9), px0_per_px=1.0, px0_per_mask_px=4.0)
    assert np.argwhere(labels).tolist() == [[row, col] for row in range(4) for col in range(4, 8)]
