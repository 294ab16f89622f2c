"""Pictures of the same tissue are found whatever was done to them, other tissue never."""

import cv2
import numpy as np
import pytest

from her2path.imaging.lookalikes import find_lookalikes, fingerprint
from tests.support.labelled_phantoms import labelled

SIDE = 256


@pytest.fixture(scope="module")
def fields():
    """Large fields of three different tissues."""
    return [labelled(300 + number, side_px=2 * SIDE).rgb for number in range(3)]


def compressed(rgb, quality):
    data = cv2.imencode(".jpg", np.ascontiguousarray(rgb), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def turned(rgb, degrees):
    matrix = cv2.getRotationMatrix2D((SIDE, SIDE), degrees, 1.0)
    return cv2.warpAffine(rgb, matrix, (2 * SIDE, 2 * SIDE))


def cut(rgb, row=0, col=0):
    return np.ascontiguousarray(rgb[row : row + SIDE, col : col + SIDE])


CHANGES = {
    "compressed at quality 40": (lambda f: compressed(cut(f), 40), 1.0, 0, False),
    "a quarter turn": (lambda f: np.rot90(cut(f)), 1.0, 90, False),
    "mirrored": (lambda f: cut(f)[:, ::-1], 1.0, 0, True),
    "upside down and compressed": (lambda f: compressed(cut(f)[::-1], 60), 1.0, 180, True),
    "darker": (lambda f: (cut(f) * 0.8).astype(np.uint8), 1.0, 0, False),
    "half of it cut elsewhere": (lambda f: cut(f, SIDE // 2), 0.5, 0, False),
    "a quarter of it, compressed": (lambda f: compressed(cut(f, SIDE // 2, SIDE // 2), 60), 0.25, 0, False),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_the_same_tissue_is_found(fields, name):
    change, overlap, turn, mirrored = CHANGES[name]
    pictures = [picture for field in fields for picture in (cut(field), np.ascontiguousarray(change(field)))]
    found = find_lookalikes([fingerprint(picture) for picture in pictures])
    assert [(pair.one, pair.other) for pair in found] == [(0, 1), (2, 3), (4, 5)]
    for pair in found:
        assert pair.overlap == pytest.approx(overlap, abs=0.06)
        assert abs(abs(pair.turned_deg) - turn) < 1.5
        assert pair.mirrored is mirrored


def test_a_picture_turned_by_any_angle_is_found(fields):
    whole, part = fields[0], turned(fields[0], 37)[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2]
    (pair,) = find_lookalikes([fingerprint(whole), fingerprint(np.ascontiguousarray(part))])
    assert pair.turned_deg == pytest.approx(37, abs=1)
    assert pair.overlap > 0.9


def test_neighbouring_fields_and_other_tissue_are_not_the_same(fields):
    pictures = [cut(field, row, col) for field in fields for row in (0, SIDE) for col in (0, SIDE)]
    assert find_lookalikes([fingerprint(picture) for picture in pictures]) == []


def test_blank_glass_is_like_nothing():
    rng = np.random.default_rng(0)
    glass = [(244 + rng.normal(0, 1.5, (SIDE, SIDE, 3))).astype(np.uint8) for _ in range(2)]
    plain = [np.full((SIDE, SIDE, 3), 240, np.uint8)] * 2
    prints = [fingerprint(picture) for picture in [*glass, *plain]]
    assert find_lookalikes(prints) == []
    assert not prints[-1].has_structure


def test_no_picture_and_a_tiny_one_are_no_error():
    assert find_lookalikes([]) == []
    assert not fingerprint(np.zeros((5, 7, 3), np.uint8)).has_structure
