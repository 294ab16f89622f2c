"""`edits/edits.json`: the regions and cell classes of a person as they were taken back from QuPath."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Annotated, ClassVar

import shapely
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, field_validator

from her2path.domain.edits import CellVerdict, cell_verdict
from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.io.documents import Count, Document
from her2path.io.edits_entry import EarlierEdits

CONTROL = "Control"
"""Class of a region that is control tissue."""
Ring = tuple[tuple[float, float], ...]
"""Level-0 pixels; the first point is repeated at the end."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GivenClass(_Part):
    """A cell to which a person gave another class."""

    cell_id: Count
    x_px0: float
    y_px0: float
    measured: str
    """Its class as measured, in QuPath's words."""
    given: str
    """Its class as given, spelt as `CellVerdict.name`."""
    by: str = ""
    """Pseudonym of the person; empty = whoever the edits as a whole are by (older versions)."""
    on: str = ""
    """Day, YYYY-MM-DD; empty likewise."""

    @field_validator("given")
    @classmethod
    def _known(cls, value: str) -> str:
        found = cell_verdict(value)
        if found is None or found.name != value:
            raise ValueError(f"{value!r} is no class of a cell")
        return value

    @property
    def verdict(self) -> CellVerdict:
        """What the class says."""
        found = cell_verdict(self.given)
        assert found is not None  # noqa: S101  (checked above)
        return found


class DrawnRegion(_Part):
    """A region that a person drew."""

    kind: str
    """``Tumor``, ``Control``, or the class of what is left out (``Ignore*``, ``Necrosis``, ...)."""
    expected: IhcScore | None = None
    """Score that control tissue should have; None = not stated."""
    polygons: tuple[tuple[Ring, ...], ...]
    """Each with its outer ring and its holes."""
    by: str = ""
    """Pseudonym of the person; empty = whoever the edits as a whole are by (older versions)."""
    on: str = ""
    """Day, YYYY-MM-DD; empty likewise."""

    def area(self) -> shapely.MultiPolygon:
        """Build the region as one geometry."""
        return shapely.MultiPolygon([(rings[0], list(rings[1:])) for rings in self.polygons])


class EditsResult(_Part):
    """All edits of one slide that count."""

    by: str
    """Pseudonym of the person, with edits that were added to others the last one."""
    on: str
    """Day, YYYY-MM-DD."""
    tool: str
    sha256: str
    """Of the file that came back."""
    comment: str = ""
    image_id: str
    image_files: tuple[str, ...]
    """SHA-256 of the slide's files."""
    cells: Count
    """Cells of the slide when it was edited."""
    places_sha256: str
    """Of their places: which cell a number means."""
    tumour_use: RegionUse = RegionUse.REPLACE
    left_out_use: RegionUse = RegionUse.ADD
    regions: tuple[DrawnRegion, ...] = ()
    corrections: tuple[GivenClass, ...] = ()
    """By cell."""
    overruled: tuple[GivenClass, ...] = ()
    """Classes of earlier persons that later ones took back or changed, by cell."""
    unmeasured_pct: Annotated[float, Ge(0), Le(100)] = 0.0
    """Per cent of the tissue in the drawn tumour that was not measured."""
    earlier: tuple[EarlierEdits, ...] = ()
    """Files that this one was added to, the oldest first."""

    @property
    def persons(self) -> tuple[str, ...]:
        """All who edited the slide, each once, the first first."""
        return tuple(dict.fromkeys((*(one.by for one in self.earlier), self.by)))

    def signed(self) -> EditsResult:
        """Put the person and the day to every cell and region that does not tell them itself."""
        name = {"by": self.by, "on": self.on}
        return self.model_copy(
            update={
                "regions": tuple(one if one.by else one.model_copy(update=name) for one in self.regions),
                "corrections": tuple(
                    one if one.by else one.model_copy(update=name) for one in self.corrections
                ),
            }
        )

    def of_kind(self, *kinds: str) -> tuple[DrawnRegion, ...]:
        """Give the regions of some kinds, in their order."""
        return tuple(region for region in self.regions if region.kind in kinds)

    @property
    def left_out(self) -> tuple[DrawnRegion, ...]:
        """Regions whose cells are not scored."""
        return tuple(region for region in self.regions if region.kind not in {LabelClass.TUMOUR, CONTROL})

    def regions_changed(self) -> dict[str, int]:
        """Count the regions by class."""
        return dict(sorted(Counter(region.kind for region in self.regions).items()))

    def cells_changed(self) -> dict[str, dict[str, int]]:
        """Count the corrected cells by the class as measured and the class as given."""
        pairs = Counter((one.measured, one.given) for one in self.corrections)
        found: dict[str, dict[str, int]] = {}
        for (measured, given), n in sorted(pairs.items()):
            found.setdefault(measured, {})[given] = n
        return found

    def cells_overruled(self) -> dict[str, int]:
        """Count the cells that have no longer the class of an earlier person, by that person."""
        return dict(sorted(Counter(one.by for one in self.overruled).items()))

    def is_of(self, image_files: Collection[str]) -> bool:
        """Whether they were made on these files."""
        return set(self.image_files) == set(image_files)


class EditsDoc(Document):
    """`edits/edits.json`: what a person changed on one slide (`her2path qupath import`)."""

    kind: ClassVar[str] = "edits"
    result: EditsResult | None = None
