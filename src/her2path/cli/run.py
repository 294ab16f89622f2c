"""`her2path run`: a case sheet in, a call with its evidence for every case out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from her2path.config import Config


def run(
    cases: Annotated[Path, typer.Argument(help="Case sheet (tab-separated, one row per image).")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the results.")],
    cores: Annotated[int, typer.Option("--cores", min=1, help="Cores to use.")] = os.cpu_count() or 1,
    config: Annotated[Path | None, typer.Option("--config", help="YAML file of step parameters.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="Snakemake profile (cluster).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
) -> None:
    """Measure all images of a case sheet and state the HER2 call of every case.

    Finished steps are kept and not done again.  A case that cannot be evaluated never stops the
    others: the exit code is then 1, and the table says why.
    """
    # Loaded here so that help and the other commands come at once.
    from her2path.cli import batch, summary  # noqa: PLC0415
    from her2path.domain.case import Assay  # noqa: PLC0415
    from her2path.domain.guideline.registry import guideline_ids  # noqa: PLC0415
    from her2path.io.case_sheet import read_case_sheet  # noqa: PLC0415
    from her2path.io.edits_folder import scored_otherwise  # noqa: PLC0415
    from her2path.io.model_store import open_model  # noqa: PLC0415
    from her2path.reports.html.pdf import load_weasyprint  # noqa: PLC0415

    settings = _settings(config, cases, out)
    if settings.pdf:
        # Missing libraries are told now, not after hours of measuring.
        load_weasyprint()
    sheet = read_case_sheet(settings.cases, guidelines=guideline_ids())
    if settings.ihc_cells.model is not None and any(row.assay is Assay.IHC for row in sheet.rows):
        # One model for all images: said once, before anything is measured.
        open_model(settings.ihc_cells.model).verify()
    with batch.locked(settings.out) as lock:
        how = batch.Workflow(cores=cores, profile=profile, dry_run=dry_run, lock=lock)
        # Edits come and go outside the workflow, whose records then tell of an earlier score.
        ihc = (row.image_id for row in sheet.rows if row.assay is Assay.IHC)
        edited = scored_otherwise(settings.out, ihc)
        batch.start(settings, sheet.case_ids, how, stale=[folder.score for folder in edited])
        if dry_run:
            return
        calls = batch.read_calls(settings.out, sheet.case_ids)
    summary.show_calls(calls)
    typer.echo(f"reports: {out / 'cohort.html'}")
    sys.exit(batch.exit_code_of(calls))


def _settings(config: Path | None, cases: Path, out: Path) -> Config:
    # Loads every step's parameters, hence the imaging libraries.
    from her2path.config import Config, read_config  # noqa: PLC0415
    from her2path.io.model_store import is_plain_name  # noqa: PLC0415

    settings = Config() if config is None else read_config(config)
    cells = settings.ihc_cells
    if cells.model is not None and not is_plain_name(cells.model):
        # The workflow runs in the folder of the results, where a relative path would mean another one.
        cells = cells.model_copy(update={"model": str(Path(cells.model).resolve())})
    changes = {
        "cases": cases.resolve(),
        "out": out.resolve(),
        "ihc_cells": cells,
        "qa": settings.qa.resolved(),
    }
    return settings.model_copy(update=changes)
