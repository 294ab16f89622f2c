"""What a quality document is made of: tissue, stain vectors, artefacts, fields, findings, the verdict."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

from her2path.io.call_entries import Share

Rgb = tuple[float, float, float]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Finding(_Entry):
    """Something about an image's quality that a person should know."""

    code: str
    """For example ``out_of_focus``, ``debris``, ``saturated``, ``no_dab``, ``default_stain_vectors``."""
    severity: Literal["info", "warning"]
    message: str


class StainResult(_Entry):
    """White point and stain vectors of one bright-field slide (decadic optical density)."""

    white: Rgb
    white_origin: Literal["estimated", "lightest_tissue", "default"]
    """From glass; bounded by the lightest tissue where no glass shows; a usual scanner's."""
    hematoxylin: Rgb
    """Unit vector in OD space, R G B."""
    dab: Rgb
    hematoxylin_origin: Literal["estimated", "blended", "default"]
    """The slide's own; between its own and the published one, for want of pixels; the published one."""
    dab_origin: Literal["estimated", "blended", "default"]
    hematoxylin_weight: Share = 0.0
    """Weight of the slide's own pixels against the published vector."""
    dab_weight: Share = 0.0
    verdict: Literal["plausible", "doubtful", "implausible"] = "plausible"
    """Whether stains and scanners give such colours; what is implausible is refused before it is written."""
    reasons: tuple[str, ...] = ()
    """Of a doubt, as sentences."""


class ChannelQuality(_Entry):
    """Measuring conditions of one fluorescence channel."""

    role: str
    background: float
    noise: float
    saturated_frac: Share
    focus: float
    """Spread of the Laplacian over the noise; unitless, higher is sharper."""
    width_um: float | None = None
    """DAPI: median width of the edges of nuclei; else that of the spots at half height; None = none."""
    saturated_objects_frac: Share | None = None
    """Share of the nuclear area (DAPI) or of the strongest spots at full scale; None = none."""


class FishField(_Entry):
    """A field that nuclei are looked for in: a whole image, or a square chosen on a large scan."""

    name: str
    """The image's id; on a scan with ``.f1``, ``.f2``, ... after it.  Column `field` of the tables."""
    x_px0: Annotated[int, Ge(0)]
    y_px0: Annotated[int, Ge(0)]
    width_px0: Annotated[int, Ge(1)]
    height_px0: Annotated[int, Ge(1)]
    area: Annotated[int, Ge(1)]
    """Number of the group of fields within 1 mm of each other."""
    nuclei: Annotated[int, Ge(0)] | None = None
    """Tumour-sized nuclei on the coarse map that it was chosen by; None = not chosen."""
    dapi_edge_um: float | None = None
    """Median width of the edges of its nuclei."""

    @property
    def place_px0(self) -> tuple[int, int, int, int]:
        """Top, left, height and width in pixels of level 0."""
        return self.y_px0, self.x_px0, self.height_px0, self.width_px0


class ArtefactSum(_Entry):
    """All areas of one kind of artefact on a slide."""

    kind: str
    """A word of `imaging.artefacts.ArtefactKind`, also the class in `quality.geojson`."""
    areas: Annotated[int, Ge(1)]
    area_mm2: Annotated[float, Ge(0)]
    """On tissue and glass."""
    tissue_frac: Share
    """Share of the tissue that lies under it."""


class QualityResult(_Entry):
    """Tissue and measuring conditions of an image; one that is unusable has no result."""

    verdict: Literal["good", "usable"] = "good"
    """Usable: some finding is a warning, and its message the reason."""
    tissue_mm2: Annotated[float, Ge(0)]
    mask_mpp: float
    """Pixel size of `tissue.png` in µm (bright-field: 255 = tissue to be measured)."""
    stain: StainResult | None = None
    """None for fluorescence."""
    channels: tuple[ChannelQuality, ...] = ()
    fields: tuple[FishField, ...] = ()
    """Where a fluorescence image is counted, the best first; none for bright-field."""
    artefacts: tuple[ArtefactSum, ...] = ()
    """Kinds that were found; their places are in `artefacts.png` and `quality.geojson`."""
    findings: tuple[Finding, ...] = ()
