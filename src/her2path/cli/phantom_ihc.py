"""IHC phantoms to files: the slide, the truth of its cells and of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from her2path.domain.case import Controls
from her2path.domain.decision import CaseEvidence, call_case
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ConfigError
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.phantoms.ihc import IhcPhantom, render_ihc
from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_random import random_artefact, random_spec
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, ClassShare, IhcPhantomSpec
from her2path.imaging.phantoms.texture import stream
from her2path.io import phantom_files as files

GUIDELINE = "breast_2023"
"""Guideline by which the truth names a score."""
LIFELIKE = TissueDetail(vessels_per_mm2=15.0, red_cells_per_mm2=60.0)
"""Tissue of `--lifelike`: no unspecific stain, no structure that looks like tumour."""
BLOCK_MAX_PX = 4096
"""Longest side that is rendered at once; more is a mosaic (memory)."""


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """What the guideline says of a slide whose cells are read without an error."""

    guideline: str
    ihc_score: str | None
    her2_category: str | None
    """None where ISH decides (2+) or nothing can be called."""
    state: str


def parse_class(text: str) -> ClassShare:
    """Read a class of cells as it is given on the command line.

    Raises
    ------
    ConfigError
        The text is no ``intensity:pattern=fraction``.

    Examples
    --------
    >>> parse_class("strong:complete=0.15").fraction
    0.15
    """
    try:
        kind, fraction = text.split("=")
        intensity, pattern = kind.split(":")
        return ClassShare(Intensity(intensity.strip()), Pattern(pattern.strip()), float(fraction))
    except ValueError as error:
        wanted = "give for example `strong:complete=0.15`"
        raise ConfigError((f"`--class {text}` cannot be read ({error}); {wanted}",)) from error


def choose_classes(score: str | None, classes: Sequence[str]) -> tuple[ClassShare, ...]:
    """Take the mix of a score or the classes given one by one, never both."""
    if score is not None and classes:
        raise ConfigError(("give either --score or --class, not both",))
    if score is None:
        return tuple(parse_class(text) for text in classes)
    # A plain 0 is stated as null: the mix of ultralow is asked for by its name.
    name = "null" if score == "0" else score
    if name not in SCORE_PRESETS:
        raise ConfigError((f"--score {score!r} is unknown; known are 0, {', '.join(SCORE_PRESETS)}",))
    return SCORE_PRESETS[name]


def check_spec(**wanted: object) -> IhcPhantomSpec:
    """Make a spec and state what is wrong with it as a fault of the command line."""
    style = wanted.get("style")
    if isinstance(style, str):
        if style not in STYLES:
            raise ConfigError((f"--style {style!r} is unknown; known are {', '.join(STYLES)}",))
        wanted["style"] = STYLES[style]
    try:
        spec = IhcPhantomSpec(**wanted)  # type: ignore[arg-type]  # the caller names the fields
    except ValueError as error:
        raise ConfigError((str(error),)) from error
    if max(spec.width_px, spec.height_px) > BLOCK_MAX_PX:
        raise ConfigError(
            (f"at most {BLOCK_MAX_PX} pixels a side are rendered at once; repeat a block with --mosaic",)
        )
    return spec


def any_spec(
    seed: int, classes: tuple[ClassShare, ...] | None, size_px: tuple[int, int], mpp: float
) -> IhcPhantomSpec:
    """Draw a spec at random and state what is wrong with its size as a fault of the command line.

    Parameters
    ----------
    seed : int
    classes : tuple of ClassShare, optional
        Instead of drawn ones.
    size_px : tuple of two ints
        Width and height.
    mpp : float
    """
    try:
        drawn = random_spec(seed, size_px=max(min(size_px), 128), mpp=mpp)
    except ValueError as error:
        raise ConfigError((str(error),)) from error
    kept = {name: getattr(drawn, name) for name in drawn.__slots__}
    kept |= {"width_px": size_px[0], "height_px": size_px[1]}
    return check_spec(**kept | ({} if classes is None else {"classes": classes}))


def with_artefacts(spec: IhcPhantomSpec, kinds: Sequence[str]) -> IhcPhantomSpec:
    """Add one artefact of each kind, its place and size drawn from the seed of the spec."""
    known = [kind.value for kind in ArtefactKind]
    for kind in kinds:
        if kind not in known:
            raise ConfigError((f"--artefact {kind!r} is unknown; known are {', '.join(known)}",))
    rng = stream(spec.seed, "artefacts asked for")
    side_um = min(spec.size_um)
    added = tuple(random_artefact(rng, ArtefactKind(kind), side_um) for kind in kinds)
    return replace(spec, artefacts=spec.artefacts + added)


def write_ihc(out: Path, spec: IhcPhantomSpec, *, mosaic: int = 1) -> IhcPhantom:
    """Render a phantom and write ``slide.tif``, ``truth_cells.parquet`` and ``truth.json`` to `out`.

    Parameters
    ----------
    out : Path
        Folder; made if needed.
    spec : IhcPhantomSpec
        What to show.
    mosaic : int
        How often the phantom stands side by side in both directions; above 1 its margin is glass,
        so that no cell is cut between two blocks.
    """
    if mosaic > 1:
        spec = replace(spec, island=True)
    phantom = render_ihc(spec)
    try:
        files.write_slide(out / "slide.tif", phantom.rgb, mpp=spec.mpp, repeat=mosaic)
    except ValueError as error:
        raise ConfigError((str(error),)) from error
    columns = phantom.cells.columns()
    files.write_truth_cells(out / "truth_cells.parquet", columns, block_shape=spec.shape, repeat=mosaic)
    files.write_truth(out / "truth.json", slide_truth(phantom, blocks=mosaic**2))
    return phantom


def write_series(folder: Path, phantom: IhcPhantom, *, mosaic: int = 1) -> Path:
    """Write the same slide as a DICOM series and return the file of its finest level."""
    # pydicom's dictionaries take longer to load than all else here.
    from her2path.io.phantom_dicom import write_dicom_slide  # noqa: PLC0415

    try:
        return write_dicom_slide(folder, phantom.rgb, mpp=phantom.spec.mpp, repeat=mosaic)[0]
    except ValueError as error:
        raise ConfigError((str(error),)) from error


def expected_call(tally: IhcTally) -> ExpectedCall:
    """Call a slide from the tally of what its cells express."""
    reading = IhcReading(tally, controls=Controls.PASS)
    call = call_case(CaseEvidence(ihc=reading), find_guideline(GUIDELINE))
    if isinstance(call, NotEvaluable):
        return ExpectedCall(GUIDELINE, None, None, "not_evaluable")
    score = None if call.ihc_score is None else call.ihc_score.value
    category = None if call.category is None else call.category.value
    return ExpectedCall(GUIDELINE, score, category, call.state.value)


def slide_truth(phantom: IhcPhantom, *, blocks: int = 1) -> dict[str, object]:
    """Write down what holds for a slide made of `blocks` repetitions of a phantom."""
    truth = phantom.truth
    counts = {key: n * blocks for key, n in truth.expressed.counts.items()}
    tally = IhcTally(counts)
    return {
        "schema_version": "phantom_ihc_truth/2",
        "spec": asdict(phantom.spec),
        "blocks": blocks,
        "tally_expressed": [
            {"intensity": intensity.value, "pattern": pattern.value, "cells": n}
            for (intensity, pattern), n in counts.items()
        ],
        "percentages_expressed": {name.value: pct for name, pct in truth.percentages.items()},
        "h_score_expressed": tally.h_score,
        "largest_cluster_expressed": {level.value: n for level, n in truth.clusters.items()},
        "tumour_cells": truth.tumour_cells * blocks,
        "lymphocytes": truth.lymphocytes * blocks,
        "stroma_cells": truth.stroma_cells * blocks,
        "nuclei_missed_by_section": truth.nuclei_missed_by_section * blocks,
        "expected": asdict(expected_call(tally)),
    }
