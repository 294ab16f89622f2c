"""The way of one case through all steps in this process, for single images and for tests.

The same steps in the same order as `workflows/rules`, the same files under the same names; a
batch belongs to `her2path run`, which runs many cases side by side and resumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from her2path.cli import logs, step
from her2path.config import Config
from her2path.domain.case import Assay
from her2path.domain.verdict import NotEvaluable
from her2path.io.artefacts import DOCUMENTS, files_of
from her2path.io.case_sheet import ImageRow
from her2path.io.dicom_documents import FOLDER
from her2path.io.edits_folder import EditsFolder
from her2path.io.recount_folder import RecountFolder
from her2path.io.slides.dicom_series import names_dicom

_IHC_STEPS = ("slide_intake", "slide_quality", "slide_tiles", "ihc_cells", "ihc_score", "slide_view")
_DICOM_STEP = "slide_dicom"
_FISH_STEPS = ("slide_intake", "slide_quality", "fish_nuclei", "fish_signals", "fish_counts")


def run_image(
    row: ImageRow, out: Path, config: Config, *, workers: int, steps: Sequence[str] | None = None
) -> NotEvaluable | None:
    """Measure one image (or take its first `steps` only); files appear in ``out/images/<image_id>/``.

    Returns
    -------
    NotEvaluable or None
        Why the image could not be measured, if so.
    """
    folder = out / "images" / row.image_id
    known: dict[str, Any] = {name: folder / file for name, file in files_of(row.assay).items()}
    known |= {
        "image": list(row.path),
        "row": row,
        "tumour_roi": row.tumour_roi,
        "exclude_roi": row.exclude_roi,
        "edits": edits if (edits := EditsFolder.of(out, row.image_id).edits).is_file() else None,
        "workers": workers,
        "dicom": folder / FOLDER,
    }
    why = None
    for name in steps or _steps_of(row):
        loaded = step.load_step(name)
        arguments = {key: known[key] for key in loaded.arguments}
        with logs.context(step=name, image_id=row.image_id):
            why = step.execute(loaded, arguments, config.params_of(name))
    return why


def _steps_of(row: ImageRow) -> tuple[str, ...]:
    if row.assay is not Assay.IHC:
        return _FISH_STEPS
    return (*_IHC_STEPS, _DICOM_STEP) if names_dicom(row.path[0]) else _IHC_STEPS


def run_case(rows: Sequence[ImageRow], out: Path, config: Config, *, workers: int) -> Path:
    """Measure all images of one case and write its call and reports; return the path of `call.json`."""
    for row in rows:
        run_image(row, out, config, workers=workers)
    return finish_case(rows, out, config)


def finish_case(rows: Sequence[ImageRow], out: Path, config: Config) -> Path:
    """Write the call and the reports of a case whose images are measured; return the path of `call.json`."""
    folder = out / "cases" / rows[0].case_id
    images = [(row, out / "images" / row.image_id) for row in rows]
    call = folder / "call.json"
    taken = RecountFolder.of(out, rows[0].case_id).read
    recount = taken if taken.is_file() else None
    case_call = step.load_step("case_call")
    step.execute(
        case_call,
        {
            "slide": [home / "slide.json" for _, home in images],
            "score": [home / "ihc_score.json" for row, home in images if row.assay is Assay.IHC],
            "counts": [home / "fish_counts.json" for row, home in images if row.assay is Assay.FISH],
            "recount": recount,
            "call": call,
        },
        config.case_call,
    )
    artefact = [home / file for row, home in images for file in files_of(row.assay).values()]
    made = {"case_report": "report.html"} | ({"case_pdf": "report.pdf"} if config.pdf else {})
    for name, file in made.items():
        arguments = {"call": call, "artefact": artefact, "recount": recount, "report": folder / file}
        step.execute(step.load_step(name), arguments, config.params_of(name))
    step.execute(
        step.load_step("case_exchange"),
        {
            "call": call,
            "document": [path for path in artefact if path.name in DOCUMENTS],
            "fhir": folder / "report.fhir.json",
            "synoptic": folder / "synoptic.txt",
            "table": folder / "synoptic.csv",
        },
        config.case_exchange,
    )
    return call


def rescoring_steps(row: ImageRow) -> tuple[str, ...]:
    """Name the steps of an image that follow from the class of its cells; the view shows its hot spots."""
    return tuple(name for name in _steps_of(row) if name in {"ihc_score", "slide_view", _DICOM_STEP})


def finish_cohort(out: Path, config: Config) -> None:
    """Write the tables and the page of all cases of the sheet `config.cases`, each of which has its call."""
    loaded = step.load_step("cohort_report")
    known = {
        "sheet": config.cases,
        "cases": out / "cases",
        "images": out / "images",
        "calls": out / "calls.csv",
        "table": out / "calls.parquet",
        "cohort": out / "cohort.html",
        "pdf": Path("report.pdf") if config.pdf else None,
    }
    step.execute(loaded, {key: known[key] for key in loaded.arguments}, config.cohort_report)
