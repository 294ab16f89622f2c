"""JSON documents between steps: their models, and the only ways to write and read them.

Every document states its schema version, its producer and the digests of its sources, and holds a
result or the reason why there is none.  None names a path, a person, or the time of its making.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from her2path.domain.case import Assay, Controls, Specimen, TumourSite
from her2path.domain.ihc import IhcScore, IhcTally, Intensity, Pattern, Reactivity
from her2path.domain.ish import Probe
from her2path.domain.verdict import NotEvaluable, State
from her2path.errors import ArtefactError, OtherVersionError
from her2path.io.call_entries import (
    CheckEntry,
    Comment,
    Distance,
    HeterogeneityEntry,
    PopulationEntry,
    Reason,
    Share,
    SpecimenEntry,
    StabilityEntry,
    TrailEntry,
    VersionEntry,
)
from her2path.io.call_sums import refuse_contradiction
from her2path.io.case_sheet import ImageRow
from her2path.io.control_entries import ControlEntry
from her2path.io.count_entries import FishCountsResult
from her2path.io.edits_entry import EditsEntry
from her2path.io.files import artefact_name, write_text
from her2path.io.fish_entries import FishSignalsResult
from her2path.io.model_entries import ModelEntry
from her2path.io.quality_entries import QualityResult
from her2path.io.score_entries import HotSpotEntry, IntervalMethod, Percentage
from her2path.units import MppOrigin

Count = Annotated[int, Ge(0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Producer(_Part):
    """What made a document."""

    step: str
    version: str
    """Version of her2path."""
    params: dict[str, object] = {}


class Document(_Part):
    """Common head of all documents; a subclass names itself, its version and its result."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    schema_version: str = ""
    """``<kind>/<version>``; filled in on writing, checked on reading."""
    produced_by: Producer
    inputs: dict[str, str] = {}
    """SHA-256 of everything the document was made from, by name."""
    not_evaluable: Reason | None = None

    @model_validator(mode="after")
    def _result_or_reason(self) -> Self:
        if hasattr(self, "result") and (self.result is None) == (self.not_evaluable is None):
            raise ValueError("a document holds either a result or the reason why there is none")
        return self


# --- slide_intake ---------------------------------------------------------------------------


class SourceFile(_Part):
    """One file of an image, without its name or path (either may identify a person)."""

    sha256: str
    size_bytes: Count
    format: str


class Channel(_Part):
    """One fluorescence channel and what it shows."""

    index: Count
    """Place of the channel in the image, or of its file in the sheet's `path`."""
    name: str
    role: Literal["dapi", "her2", "cep17", "other"]
    origin: Literal["sheet", "name", "wavelength", "file_name", "rgb"]
    emission_nm: float | None = None


class SheetFacts(_Part):
    """What the case sheet says of this image and later steps need."""

    case_id: str
    image_id: str
    assay: Assay
    guideline: str
    specimen: Specimen | None = None
    """None = not stated."""
    probe: Probe
    area: str
    """Label of the counted area; empty = not stated."""
    observer: Annotated[int, Ge(1)]
    """1 = first count; 2 = other fields, which the program counts as a check."""
    controls: Controls
    tumour_site: TumourSite | None = None
    """Where the tumour grew; None = not stated."""
    fixation_hours: Annotated[float, Ge(0)] | None = None
    cold_ischaemia_minutes: Annotated[float, Ge(0)] | None = None
    control_piece: tuple[str, ...] = ()
    """Separate pieces that are control tissue, as the sheet names them."""
    control_score: tuple[IhcScore, ...] = ()
    """Score that each of them should have; empty = not stated."""
    has_tumour_roi: bool = False
    has_exclude_roi: bool = False


def sheet_facts(row: ImageRow) -> SheetFacts:
    """Take from a row of the case sheet what later steps may know (no path)."""
    kept = row.model_dump(include=SheetFacts.model_fields.keys() & ImageRow.model_fields.keys())
    return SheetFacts(
        **kept, has_tumour_roi=row.tumour_roi is not None, has_exclude_roi=row.exclude_roi is not None
    )


class SlideResult(_Part):
    """Geometry and origin of an image that can be read."""

    files: tuple[SourceFile, ...]
    vendor: str
    width_px0: Annotated[int, Ge(1)]
    height_px0: Annotated[int, Ge(1)]
    mpp: float
    mpp_origin: MppOrigin
    mpp_in_file: float | None = None
    """What the file itself says, also where the case sheet overrides it; None = nothing usable."""
    level_downsamples: tuple[float, ...]
    channels: tuple[Channel, ...] = ()
    """Empty for bright-field images."""
    z_planes: Annotated[int, Ge(1)] = 1
    dtype: str = "uint8"


class SlideDoc(Document):
    """`slide.json`: what an image is (slide_intake)."""

    kind: ClassVar[str] = "slide"
    sheet: SheetFacts
    result: SlideResult | None = None


# --- slide_quality --------------------------------------------------------------------------


class QualityDoc(Document):
    """`quality.json`: whether and where an image can be measured (slide_quality)."""

    kind: ClassVar[str] = "quality"
    version: ClassVar[int] = 3
    result: QualityResult | None = None


# --- ihc_score ------------------------------------------------------------------------------


class IhcScoreResult(_Part):
    """What was counted on one IHC slide."""

    tally: dict[Intensity, dict[Pattern, Count]]
    scored_cells: Count
    excluded_cells: dict[str, Count]
    percentages: dict[str, Percentage]
    """By `StainingClass`, and ``stained`` for all but none."""
    compared: dict[str, Percentage] = {}
    """Other percentages that guidelines look at: levels of staining whatever its pattern, and sums."""
    interval: IntervalMethod
    h_score: float
    h_score_low: float
    """95 % interval of the H-score, worked out like those of the percentages."""
    h_score_high: float
    score: IhcScore
    rule_id: str
    limit_of_blank_pct: Annotated[float, Ge(0)]
    calibration: str
    model: ModelEntry | None = None
    """That found the cells and told what they express; None = the classical method."""
    tumour_selection: Literal["regions", "automatic"]
    selected_nuclei_pct: float
    """Share of all nuclei that were taken as tumour cells."""
    score_probabilities: dict[IhcScore, Share] = {}
    """How often samples of the same tissue are given each score; empty where `no_probabilities` says why."""
    category_probabilities: dict[str, Share] = {}
    """Likewise by `Her2Category`, or the state that IHC alone leaves open; empty where the guideline's
    tumour has no categories."""
    no_probabilities: Reason | None = None
    heterogeneity: dict[str, float] = {}
    """See `imaging.ihc.heterogeneity.measure_heterogeneity`."""
    staining_spread: Literal["uniform", "scattered", "clustered"] | None = None
    """How differently stained cells lie among each other; None = too little tissue to tell."""
    hot_spot_quantity: str = ""
    """Percentage that carried the score, by which the hot spots were chosen."""
    hot_spots: tuple[HotSpotEntry, ...] = ()
    """Areas for review, the most conspicuous first; percentages of a guideline are over all cells."""
    clusters: dict[Reactivity, Count] | None = None
    """Cells of the largest cluster that stains at least so strongly; None = not measured."""
    control: tuple[ControlEntry, ...] = ()
    """Control tissue on the slide, in the order of its numbers; none of its cells is in the tally."""
    edits: EditsEntry | None = None
    """What a person changed; None = the score is the program's own."""
    flags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _probabilities_or_reason(self) -> Self:
        if bool(self.score_probabilities) == (self.no_probabilities is not None):
            raise ValueError("a score has probabilities or the reason why there are none")
        return self

    @model_validator(mode="after")
    def _clusters_nest(self) -> Self:
        known = self.clusters or {}
        sizes = [known[level] for level in Reactivity if level in known]
        if sizes != sorted(sizes) or max(sizes, default=0) > self.scored_cells:
            raise ValueError("a cluster is part of those of weaker levels and of the scored cells")
        return self

    def as_tally(self) -> IhcTally:
        """Build the tally that the guideline reads."""
        return IhcTally({(i, p): n for i, row in self.tally.items() for p, n in row.items()})


class IhcScoreDoc(Document):
    """`ihc_score.json`: the tally and score of one IHC slide (ihc_score)."""

    kind: ClassVar[str] = "ihc_score"
    version: ClassVar[int] = 4
    result: IhcScoreResult | None = None


# --- fish_counts ----------------------------------------------------------------------------


class FishSignalsDoc(Document):
    """`fish_signals.json`: the optics of one FISH image as its signals show them (fish_signals)."""

    kind: ClassVar[str] = "fish_signals"
    sheet: SheetFacts
    result: FishSignalsResult | None = None


class FishCountsDoc(Document):
    """`fish_counts.json`: the counts of one FISH image (fish_counts)."""

    kind: ClassVar[str] = "fish_counts"
    version: ClassVar[int] = 2
    sheet: SheetFacts
    result: FishCountsResult | None = None


# --- case_call ------------------------------------------------------------------------------


class CallDoc(Document):
    """`call.json`: the HER2 result of a case with its evidence (case_call)."""

    kind: ClassVar[str] = "call"
    version: ClassVar[int] = 4

    case_id: str
    guideline: str
    status: Literal["evaluated", "not_evaluable"]
    state: State | Literal["not_evaluable"]
    ihc_score: IhcScore | None = None
    ish_group: str | None = None
    """1 to 5, or `amplified`, `equivocal`, `not_amplified` by guideline and probe; None = no ISH to read."""
    her2_category: str | None = None
    """Overlay: positive, low, ultralow, null; None where it cannot be told."""
    her2_category_basis: str | None = None
    rule_trail: tuple[TrailEntry, ...] = ()
    distance_to_cut: tuple[Distance, ...] = ()
    comments: tuple[Comment, ...] = ()
    flags: tuple[str, ...] = ()
    other_versions: tuple[VersionEntry, ...] = ()
    """What the other guidelines of the same family say of the same evidence."""
    stability: StabilityEntry | None = None
    """How likely another count would land elsewhere; None = no count, or `no_stability` says why."""
    no_stability: Reason | None = None
    """Why a count that was made has no stability."""
    populations: tuple[PopulationEntry, ...] = ()
    """Two where a second population is reported apart, otherwise none."""
    heterogeneity_2009: HeterogeneityEntry | None = None
    """None: no single nuclei are known, or none of them has a ratio."""
    specimen: SpecimenEntry = SpecimenEntry()
    ihc: dict[str, int | float | str | None] = {}
    ish: dict[str, int | float | str | None] = {}
    recount: dict[str, int | float | str | None] = {}
    checks: tuple[CheckEntry, ...] = ()
    """Counts by the program beside the first one, which decide nothing."""
    images: tuple[str, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    """That measured its IHC images; none for the classical method and for typed numbers."""
    edits: dict[str, EditsEntry] = {}
    """What a person changed, by image id; images that nobody edited are not in it."""
    reasons: dict[str, Reason] = {}
    """Why an image could not be evaluated, by image id."""

    @model_validator(mode="after")
    def _call_or_reasons(self) -> Self:
        without = self.status == "not_evaluable"
        # The reasons stand by image; the document's own place for one stays empty.
        told = self.not_evaluable is None and without == bool(self.reasons)
        if without != (self.state == "not_evaluable") or not told:
            raise ValueError("a call holds either a state or the reasons why there is none")
        if self.stability is not None and self.no_stability is not None:
            raise ValueError("a count has a stability or the reason why there is none, never both")
        return self

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        refuse_contradiction(str(self.state), self.rule_trail, {"ish": self.ish, "recount": self.recount})
        for one in self.populations:
            refuse_contradiction(str(one.state), one.rule_trail, {f"{one.population} population": one.ish})
        return self


D = TypeVar("D", bound=Document)
R = TypeVar("R")


def document_text(document: Document) -> str:
    """Render a document as sorted, indented JSON that states its schema version."""
    stamped = document.model_copy(update={"schema_version": f"{document.kind}/{document.version}"})
    data = stamped.model_dump(mode="json")
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_document(path: Path, document: Document) -> None:
    """Write a document as sorted, indented JSON, whole or not at all."""
    write_text(path, document_text(document))


def read_document(path: Path, model: type[D]) -> D:
    """Read and check a document.

    Raises
    ------
    ArtefactError
        The file is missing, damaged or of another kind; OtherVersionError where it is of another version.
    """
    name = artefact_name(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(name, f"not a readable JSON document ({type(error).__name__})") from error
    wanted = f"{model.kind}/{model.version}"
    found = data.get("schema_version") if isinstance(data, dict) else None
    if found != wanted:
        is_kind = isinstance(found, str) and found.partition("/")[0] == model.kind
        kind = OtherVersionError if is_kind else ArtefactError
        raise kind(name, f"holds {found!r}, expected {wanted!r}")
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ArtefactError(name, f"does not follow its schema ({error})") from error


def required(result: R | None, path: Path) -> R:
    """Give the result of a document that a step cannot do without; ArtefactError where it has none."""
    if result is None:
        raise ArtefactError(artefact_name(path), "holds no result; make it and what follows from it again")
    return result


def not_evaluable_of(path: Path) -> NotEvaluable | None:
    """Read the reason from any document that carries one instead of a result."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        detail = f"not a readable JSON document ({type(error).__name__})"
        raise ArtefactError(artefact_name(path), detail) from error
    reason = data.get("not_evaluable") if isinstance(data, dict) else None
    return Reason.model_validate(reason).value() if reason else None
