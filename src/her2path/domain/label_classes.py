"""Classes that a person may give to a cell, an area or a tile when labelling slides for training.

Their names are QuPath's own, so that labels drawn there need no renaming.
"""

from __future__ import annotations

import re
from enum import StrEnum

from her2path.domain.ihc import IhcScore


class LabelClass(StrEnum):
    """What a label says, spelt as QuPath spells it."""

    TUMOUR_0 = "Tumor: 0"
    TUMOUR_1 = "Tumor: 1+"
    TUMOUR_2 = "Tumor: 2+"
    TUMOUR_3 = "Tumor: 3+"
    TUMOUR = "Tumor"
    """A tumour cell or area of which nothing is said about its staining."""
    STROMA = "Stroma"
    IMMUNE = "Immune cells"
    NECROSIS = "Necrosis"
    OTHER = "Other"
    """Anything that is no tumour, for example benign epithelium."""
    IGNORE = "Ignore*"
    """Nothing is taught here; QuPath leaves out classes that end with an asterisk."""

    @property
    def score(self) -> IhcScore | None:
        """Staining of a tumour cell; None where the class says nothing about it.

        Examples
        --------
        >>> LabelClass.TUMOUR_2.score
        <IhcScore.TWO_PLUS: '2+'>
        """
        return _SCORES.get(self)

    @property
    def is_tumour(self) -> bool:
        """Whether it is tumour, whatever its staining."""
        return self is LabelClass.TUMOUR or self in _SCORES

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour that it is drawn in: QuPath's own, where it has one.

        Examples
        --------
        >>> LabelClass.TUMOUR.rgb
        (200, 0, 0)
        """
        return _RGB[self]


_SCORES = {
    LabelClass.TUMOUR_0: IhcScore.ZERO,
    LabelClass.TUMOUR_1: IhcScore.ONE_PLUS,
    LabelClass.TUMOUR_2: IhcScore.TWO_PLUS,
    LabelClass.TUMOUR_3: IhcScore.THREE_PLUS,
}
_RGB = {
    LabelClass.TUMOUR_0: (112, 112, 225),
    LabelClass.TUMOUR_1: (255, 215, 0),
    LabelClass.TUMOUR_2: (225, 150, 50),
    LabelClass.TUMOUR_3: (200, 50, 50),
    LabelClass.TUMOUR: (200, 0, 0),
    LabelClass.STROMA: (150, 200, 150),
    LabelClass.IMMUNE: (160, 90, 160),
    LabelClass.NECROSIS: (50, 50, 50),
    LabelClass.OTHER: (255, 200, 0),
    LabelClass.IGNORE: (180, 180, 180),
}
_SPACES = re.compile(r"\s+")
_KNOWN = {item.value.lower(): item for item in LabelClass} | {
    "tumor: negative": LabelClass.TUMOUR_0,  # as her2path itself and QuPath's H-score tools export it
    "ignore": LabelClass.IGNORE,
}


def label_class(words: str) -> LabelClass | None:
    """Find the class that a name stands for; None where it is none of them.

    Capitals and spaces do not matter, and ``Tumour`` is read as ``Tumor``.

    Examples
    --------
    >>> label_class("tumour:3+")
    <LabelClass.TUMOUR_3: 'Tumor: 3+'>
    >>> label_class("Lymphocyte") is None
    True
    """
    spelt = ": ".join(part.strip() for part in words.lower().split(":"))
    return _KNOWN.get(_SPACES.sub(" ", spelt).strip().replace("tumour", "tumor"))
