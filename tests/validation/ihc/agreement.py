"""One slide's reading held against its truth, cell by cell.

A tumour cell counts if its nucleus is visible in the section, lies in tissue, and is no nearer than
`BORDER_UM` to the image's border nor within an artefact.  Cells that do not count are neither asked
for nor held against a method that finds them.  A cell is found if a scored cell has its centre
within `MATCH_UM` of the nucleus' centroid; pairs are made from the nearest on, one to one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from her2path.cli.phantom_ihc import expected_call
from her2path.domain.ihc import Intensity, Pattern, StainingClass, staining_class
from her2path.imaging.pairing import Indices, Places, pair_up
from her2path.imaging.phantoms.ihc import IhcPhantom
from her2path.imaging.phantoms.ihc_spec import FAINT_CUT_OD
from tests.validation.ihc.reading import Reading
from tests.validation.ihc.slides import ValidationSlide

MATCH_UM = 4.0
BORDER_UM = 12.0
SHOWN_COMPLETE = 0.80
"""Shown completeness from which a border is complete: between 0.65, the most that is drawn for an
incomplete one, and 0.95, the least for a complete one."""
SHOWN_MIN = 0.05
"""A border stained over less of its contour shows nothing."""


@dataclass(frozen=True)
class SlideAgreement:
    """What one method got right on one slide; plain values, so that it can be kept as JSON."""

    slide: str
    group: str
    mix: str
    tissue: str
    style: str
    architecture: str
    mpp: float
    seed: int
    method: str
    true_score: str
    score: str
    seconds: float
    area_mm2: float
    true_positives: int
    false_positives: int
    false_negatives: int
    missed: dict[str, int]
    """Tumour cells that are not scored, by the reason (`not found` if no cell was found there)."""
    invented: dict[str, int]
    """Scored cells that are no tumour cell, by what is there."""
    completeness_mae: dict[str, float] = field(default_factory=dict)
    """Over the matched cells: `shown`, `expressed`, and `stained` (shown, only cells that show
    staining).  A key is left out where there is nothing to compare."""
    percentages: dict[str, dict[str, float]] = field(default_factory=dict)
    """Per cent in each class: `found`, `expressed`, `shown`."""

    def class_mae(self, truth: str) -> float:
        """Mean absolute error of the five percentages in points."""
        found, true = self.percentages["found"], self.percentages[truth]
        return float(np.mean([abs(found[name] - true[name]) for name in true]))

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def compare(slide: ValidationSlide, phantom: IhcPhantom, reading: Reading, method: str) -> SlideAgreement:
    """Hold a reading against the truth of a slide."""
    spec, cells = phantom.spec, phantom.cells
    reach = MATCH_UM / spec.mpp
    visible = np.flatnonzero(np.isfinite(cells.nucleus_x_px0))
    places = np.column_stack([cells.nucleus_x_px0, cells.nucleus_y_px0])[visible]
    tumour = cells.is_tumour[visible]
    asked = tumour & _counts(phantom, places)
    found = np.column_stack([reading.x_px0, reading.y_px0]).reshape(-1, 2)
    of_found, of_tumour = pair_up(found, places[tumour], reach)
    matched = visible[tumour][of_tumour]
    counted = asked[tumour][of_tumour]
    extra = np.ones(len(found), bool)
    extra[of_found] = False
    extra &= _counts(phantom, found)
    lost = asked.copy()
    lost[np.flatnonzero(tumour)[of_tumour]] = False
    pairs = matched[counted], of_found[counted]
    return SlideAgreement(
        slide=slide.name,
        group=slide.group,
        mix=slide.mix,
        tissue=slide.tissue,
        style=spec.style.name,
        architecture=spec.architecture,
        mpp=spec.mpp,
        seed=spec.seed,
        method=method,
        true_score=str(expected_call(phantom.truth.expressed).ihc_score),
        score=reading.score,
        seconds=reading.seconds,
        area_mm2=float(np.prod(spec.size_um)) / 1e6,
        true_positives=int(counted.sum()),
        false_positives=int(extra.sum()),
        false_negatives=int(lost.sum()),
        missed=_why_missed(places[lost], reading, reach),
        invented=_what_is_there(found[extra], places[~tumour], cells.kind[visible][~tumour], reach),
        completeness_mae=_completeness_errors(phantom, reading, pairs),
        percentages=_percentages(phantom, reading),
    )


def _counts(phantom: IhcPhantom, places: Places) -> npt.NDArray[np.bool_]:
    """Which places lie off the border and in no artefact."""
    spec = phantom.spec
    margin = BORDER_UM / spec.mpp
    size = np.array([spec.width_px, spec.height_px])
    inside = ((places >= margin) & (places <= size - margin)).all(axis=1)
    columns, rows = np.clip(places.astype(np.intp), 0, size - 1).T
    inside &= phantom.scene.artefacts[rows, columns] == 0
    return np.asarray(inside, np.bool_)


def _why_missed(lost: Places, reading: Reading, reach: float) -> dict[str, int]:
    words = np.concatenate([np.repeat(word, len(xy)) for word, xy in reading.left_out.items()] or [[]])
    others = np.concatenate([*reading.left_out.values(), np.empty((0, 2))])
    why: Counter[str] = Counter({"not found": len(lost)})
    if len(others) and len(lost):
        distance, nearest = cKDTree(others).query(lost)
        why.update(str(word) for word in words[nearest[distance <= reach]])
        why["not found"] = int((distance > reach).sum())
    return dict(sorted(why.items()))


def _what_is_there(
    extra: Places, others: Places, kinds: npt.NDArray[np.str_], reach: float
) -> dict[str, int]:
    there: Counter[str] = Counter({"no nucleus": len(extra)})
    if len(extra) and len(others):
        distance, nearest = cKDTree(others).query(extra)
        there.update(str(kind) for kind in kinds[nearest[distance <= reach]])
        there["no nucleus"] = int((distance > reach).sum())
    return dict(sorted(there.items()))


def _completeness_errors(
    phantom: IhcPhantom, reading: Reading, pairs: tuple[Indices, Indices]
) -> dict[str, float]:
    cells, found = pairs[0], reading.completeness[pairs[1]]
    if not len(found) or np.isnan(found).all():
        return {}
    shown, expressed = phantom.cells.shown_completeness[cells], phantom.cells.expressed_completeness[cells]
    errors = {
        "shown": float(np.abs(found - shown).mean()),
        "expressed": float(np.abs(found - expressed).mean()),
    }
    stained = shown >= SHOWN_MIN
    if stained.any():
        errors["stained"] = float(np.abs(found - shown)[stained].mean())
        errors["stained_bias"] = float((found - shown)[stained].mean())
    return errors


def shown_staining(phantom: IhcPhantom) -> list[tuple[Intensity, Pattern]]:
    """What the border of each tumour cell shows, whoever expresses it."""
    cells = phantom.cells
    tumour = cells.is_tumour
    found = []
    for word, completeness, od in zip(
        cells.shown_intensity[tumour], cells.shown_completeness[tumour], cells.shown_od[tumour], strict=True
    ):
        stains = completeness >= SHOWN_MIN and od >= FAINT_CUT_OD
        pattern = Pattern.COMPLETE if completeness >= SHOWN_COMPLETE else Pattern.INCOMPLETE
        found.append((Intensity(str(word)), pattern) if stains else (Intensity.NONE, Pattern.NONE))
    return found


def shown_classes(phantom: IhcPhantom) -> list[StainingClass]:
    """The same in classes of the guidelines."""
    return [staining_class(*pair) for pair in shown_staining(phantom)]


def _percentages(phantom: IhcPhantom, reading: Reading) -> dict[str, dict[str, float]]:
    expressed = {str(name): float(pct) for name, pct in phantom.truth.percentages.items()}
    return {
        "found": _shares(reading.classes),
        "expressed": expressed,
        "shown": _shares(shown_classes(phantom)),
    }


def _shares(classes: list[StainingClass] | tuple[StainingClass, ...]) -> dict[str, float]:
    counts = Counter(classes)
    return {name.value: 100 * counts[name] / max(len(classes), 1) for name in StainingClass}
