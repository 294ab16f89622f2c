"""Write the card of a fitted model: what it is, how well it does, where it fails."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import load

from her2path.errors import ArtefactError
from her2path.imaging.ihc.learned import CALIBRATION, LearnedFinder
from her2path.imaging.nets.inference import Predictor
from her2path.imaging.nets.registry import COARSE_OUTPUTS, FINE_OUTPUTS, INPUTS, architecture
from her2path.io.files import sha256_of, write_text
from her2path.io.model_card import CalibrationEntry, DataEntry, MetricEntry, ModelCard, TrainingEntry
from her2path.training.catalogue import read_catalogue
from her2path.training.evaluate import Estimate, blank_pct, evaluate, f1, tumour_f1, with_interval
from her2path.training.record import FitRecord, read_record
from her2path.training.scenes import HELD_OUT_SEEDS, WORKING_MPP

log = logging.getLogger(__name__)

_NOT_CUTS = ("id", "limit_of_blank_pct")
INTENDED_USE = (
    "Finding nuclei, telling tumour cells from others and reading what each of them expresses, on H-DAB "
    "membrane stains at 0.5 µm/px, for research and validation. A pathologist draws or confirms the tumour "
    "and signs the score."
)
KNOWN_FAILURES = (
    "Taught on synthetic tissue: what it never saw there (in-situ carcinoma, melanin, mucin, "
    "decalcified bone, signet-ring cells) it may take for anything.",
    "Benign glands and ducts are told from tumour by their looks on phantoms only; regions drawn by a "
    "person are safer.",
    "Beside granular cytoplasm that stains strongly it sees membranes that are not there, but is less sure "
    "of them: the verdict on stained cytoplasm must be heeded.",
    "Faint membranes (0.06 to 0.1 OD) are missed on much of their length.",
    "Which of two stained neighbours lacks a piece of membrane cannot be told from their border.",
    "A blue band of collagen between stained glands may be taken for a row of large nuclei.",
    "Nuclei under artefacts, and nuclei smaller than 9 µm² or wider than 28 µm, are not found.",
    "Cytology, frozen sections and fluorescence were never shown to it.",
)


def write_card(
    path: Path, *, catalogue: Path, record: Path, weights: Path, scenes: int, side_px: int
) -> None:
    """Measure a model on held-out scenes and write `model.yaml`.

    Parameters
    ----------
    path : Path
        The card; its folder's name is the id of the model.
    catalogue, record, weights : Path
        The scenes it was fitted to, how, and the weights.
    scenes, side_px : int
        Held-out scenes, and their edge.
    """
    fit = read_record(record)
    found = architecture(fit.architecture, model_id=path.parent.name)
    values = load(weights.read_bytes())
    finder = LearnedFinder(Predictor(found, values, model_id=path.parent.name))
    seeds = list(HELD_OUT_SEEDS[:scenes])
    tallies = evaluate(finder, seeds, side_px=side_px)
    blank_seeds = list(HELD_OUT_SEEDS[scenes : 2 * scenes])
    blanks = blank_pct(finder, CALIBRATION, blank_seeds, side_px=side_px)
    log.info("unstained scenes: %s", ", ".join(f"{share:.2f}" for share in blanks))
    if not blanks:
        detail = "finds too few tumour cells for a limit of blank on every unstained scene, fit it longer"
        raise ArtefactError(weights.name, detail)
    on = f"phantoms of seeds {seeds[0]} to {seeds[-1]}, {side_px} px at {WORKING_MPP} µm/px"
    card = ModelCard(
        id=path.parent.name,
        architecture=fit.architecture,
        mpp=WORKING_MPP,
        inputs=INPUTS,
        outputs=(*FINE_OUTPUTS, *COARSE_OUTPUTS[:1], "radii"),
        sha256=sha256_of(weights),
        parameters=int(sum(value.size for value in values.values())),
        licence="Apache-2.0, like her2path",
        data=_data(catalogue, fit),
        adaptation=_adaptation(fit),
        training=_training(fit, path.parent.name),
        metrics=(
            _metric("nuclei, F1 (centre within 4 µm)", on, with_interval(tallies, f1), scenes),
            _metric("tumour nuclei found as such, F1", on, with_interval(tallies, tumour_f1), scenes),
        ),
        calibration=CalibrationEntry(
            id=CALIBRATION.id,
            cuts={name: value for name, value in asdict(CALIBRATION).items() if name not in _NOT_CUTS},
            limit_of_blank_pct=max(CALIBRATION.limit_of_blank_pct, _rounded_up(blanks)),
            measured_on=(
                f"{len(blanks)} unstained phantoms of seeds {blank_seeds[0]} to {blank_seeds[-1]}: 95 % of "
                f"them have at most {np.quantile(blanks, 0.95):.2f} % of the scored cells called stained, "
                f"the worst {max(blanks):.2f} %"
            ),
        ),
        intended_use=INTENDED_USE,
        known_failures=KNOWN_FAILURES,
    )
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    write_text(path, text)


def _rounded_up(blanks: Sequence[float]) -> float:
    """Share that 95 % of the blanks do not exceed, to the next tenth of a per cent."""
    return math.ceil(10 * float(np.quantile(blanks, 0.95))) / 10


def _data(catalogue: Path, fit: FitRecord) -> tuple[DataEntry, ...]:
    found = read_catalogue(catalogue)
    phantoms = DataEntry(
        name="random phantoms of her2path",
        what=(
            f"{len(found.scenes)} scenes of {found.side_px} px at {WORKING_MPP} µm/px, photographed "
            f"{found.variants} times each with random colours and optics"
        ),
        licence="Apache-2.0, like her2path",
        seeds=(found.scenes[0].seed, found.scenes[-1].seed),
    )
    if not fit.unlabelled:
        return (phantoms,)
    real = DataEntry(
        name="gastro-oesophageal HER2 cores (github.com/bozeklab/HER2-overexpression)",
        what=f"unlabelled, for the adaptation: {', '.join(fit.unlabelled)}",
        licence="Apache-2.0 (Pisula et al. 2023)",
    )
    return phantoms, real


def _adaptation(fit: FitRecord) -> str:
    if not fit.unlabelled:
        return "none: no real image was given, the model knows phantoms only"
    return (
        f"{len(fit.unlabelled)} real images without labels: the classical method taught the nuclei that it "
        "is sure of and the places that are too pale for one; no label, score or outline by a person was "
        "used"
    )


def _training(fit: FitRecord, model_id: str) -> TrainingEntry:
    return TrainingEntry(
        command=f"snakemake --cores 2 --config out=results/training -- training/{model_id}/model.yaml",
        seed=fit.recipe.seed,
        steps=fit.recipe.steps,
        threads=fit.recipe.threads,
        processor=fit.processor,
        code=f"her2path {fit.her2path}, torch {fit.torch}, scenes {fit.scenes[:16]}",
    )


def _metric(name: str, on: str, found: Estimate, slides: int) -> MetricEntry:
    value, low, high = (round(part, 4) for part in (found.value, found.low, found.high))
    return MetricEntry(name=name, on=on, value=value, low=low, high=high, slides=slides)
