"""In how many areas of an image nuclei were counted: groups of fields that lie apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

AREAS_APART_UM = 1000.0
"""Fields whose counted nuclei lie further apart are two areas: about the width of two camera fields, so
that neither shows the same gland."""
Box = tuple[float, float, float, float]


def areas_of(fields: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, int]:
    """Group fields that lie together and number the groups.

    Parameters
    ----------
    fields : mapping of str to sequence of (x, y)
        Counted nuclei of each field, at least one, in µm.

    Returns
    -------
    areas : dict of str to int
        From 1, in the order of the fields; fields within 1 mm of each other share one.

    Examples
    --------
    >>> areas_of({"f1": [(0, 0), (300, 300)], "f2": [(900, 0)], "f3": [(2500, 0)]})
    {'f1': 1, 'f2': 1, 'f3': 2}
    """
    boxes = {name: _box(places) for name, places in fields.items()}
    group = {name: name for name in boxes}
    for name, box in boxes.items():
        for other, box_of_other in boxes.items():
            if _gap(box, box_of_other) <= AREAS_APART_UM:
                old, new = group[other], group[name]
                group = {key: new if value == old else value for key, value in group.items()}
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(group[name], len(numbers) + 1) for name in boxes}


def _box(places: Sequence[tuple[float, float]]) -> Box:
    across, down = [x for x, _ in places], [y for _, y in places]
    return min(across), min(down), max(across), max(down)


def _gap(one: Box, other: Box) -> float:
    across = max(one[0] - other[2], other[0] - one[2], 0.0)
    down = max(one[1] - other[3], other[1] - one[3], 0.0)
    return math.hypot(across, down)
