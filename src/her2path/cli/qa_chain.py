"""The steps of quality assurance in this process: the same as `workflows/rules/qa.smk`, the same files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from her2path.cli import logs, step
from her2path.cli.batch import locked
from her2path.config import Config, read_config
from her2path.domain.number_words import counted
from her2path.domain.reads import Endpoint
from her2path.errors import ConfigError
from her2path.io.documents import read_document, required
from her2path.io.files import staged
from her2path.io.qa_documents import AgreementDoc, AgreementResult, EstimateEntry
from her2path.io.software_calls import calls_file
from her2path.io.study_inputs import StudyInputs, check_inputs
from her2path.reports.qa_words import WITH_ONE_READER, endpoint_words

CHAIN = ("qa_reads", "qa_agreement", "qa_monitoring", "qa_review", "qa_page")


@dataclass(frozen=True, slots=True)
class Order:
    """What is compared, and where the result goes."""

    calls: Path
    """Results folder of a run, or its `calls.csv`."""
    reads: Path
    out: Path
    strata: Path | None = None
    runs: Path | None = None
    mapping: Path | None = None
    reference: str = ""
    """Empty = the configuration's, which names none by default."""
    guideline: str = ""
    config: Path | None = None


def compare(order: Order, *, console: Console | None = None) -> bool:
    """Run all steps and say in the terminal what came of them.

    The files of a study are written all together or not at all: page, numbers and the table that re-read
    lists are drawn from are never those of two studies.

    Returns
    -------
    bool
        Whether any case has both a call and a read.

    Raises
    ------
    ConfigError
        A file that was named does not exist, the reference is no reader, or calls and guideline differ.
    CaseSheetError, ArtefactError, StudyError
        The reads, strata, runs or calls have faults; all of them are listed.
    """
    settings = _settings(order)
    given = _given(order)
    inputs = StudyInputs(**{name: given[name] for name in ("reads", "calls", "strata", "runs", "mapping")})
    check_inputs(inputs, today=datetime.now(tz=UTC).astimezone().date())
    with locked(order.out):
        with staged(order.out) as stage:
            files = given | _taken_back(order.out) | _made(stage)
            for name in CHAIN:
                loaded = step.load_step(name)
                arguments = {key: files[key] for key in loaded.arguments}
                with logs.context(step=name):
                    step.execute(loaded, arguments, settings.params_of(name))
        files = _made(order.out)
        path = files["agreement"]
        result = required(read_document(path, AgreementDoc).result, path)
    show(result, files["page"], console=console or Console())
    return result.cases > 0


def _settings(order: Order) -> Config:
    settings = Config() if order.config is None else read_config(order.config)
    changes: dict[str, Any] = {}
    if order.guideline:
        changes["qa_reads"] = settings.qa_reads.model_copy(update={"guideline": order.guideline})
    if order.reference:
        changes["qa_agreement"] = settings.qa_agreement.model_copy(update={"reference": order.reference})
    return settings.model_copy(update=changes)


def _given(order: Order) -> dict[str, Any]:
    """Name the files that the steps start from, by the name of their argument."""
    given = {
        "reads": order.reads,
        "strata": order.strata,
        "runs": order.runs,
        "mapping": order.mapping,
    }
    missing = tuple(
        f"--{name}: there is no file {path.name!r} at that place; correct the path"
        for name, path in given.items()
        if path is not None and not path.is_file()
    )
    if missing:
        raise ConfigError(missing)
    source = calls_file(order.calls)
    images = source.parent / "images"
    return given | {"calls": source, "images": images if images.is_dir() else None}


def _taken_back(out: Path) -> dict[str, Path | None]:
    """Name what was taken back since (her2path qa take, adjudicate); it stands beside the first reads."""
    made = out / "qa"
    return {
        "rereads": _if_there(made / "rereads"),
        "adjudications": _if_there(made / "adjudications.json"),
    }


def _made(out: Path) -> dict[str, Path]:
    """Name what the steps write."""
    made = out / "qa"
    return {
        "table": made / "reads.parquet",
        "agreement": made / "agreement.json",
        "monitoring": made / "monitoring.json",
        "review": made / "review.json",
        "page": out / "qa.html",
        "numbers": out / "qa.json",
        "tables": out / "tables",
    }


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def show(result: AgreementResult, page: Path, *, console: Console) -> None:
    """Print how far software and readers agree, what was left out, and where the page is."""
    persons = len(result.readers) - 1
    console.print(
        f"{counted(result.cases, 'case')}, {counted(result.reads, 'read')} by {counted(persons, 'reader')}, "
        f"{', '.join(result.guidelines)}",
        markup=False,
    )
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("exact agreement", no_wrap=True)
    for name in ("with readers", "among readers", "difference (points)"):
        table.add_column(name, no_wrap=True, justify="right")
    for endpoint in Endpoint:
        table.add_row(endpoint_words(endpoint), *_row(result, endpoint))
    console.print(table)
    for entry in result.left_out:
        reads = f", {counted(entry.reads, 'read')}" if entry.reads else ""
        left_out = f"left out: {counted(entry.cases, 'case')}{reads}: {entry.text}"
        console.print(left_out, markup=False, style="yellow")
    console.print(f"page: {page}", markup=False, soft_wrap=True)


def _row(result: AgreementResult, endpoint: Endpoint) -> tuple[str, str, str]:
    for entry in result.among_readers:
        if entry.endpoint is endpoint and not entry.stratum:
            found: Mapping[str, EstimateEntry] = entry.estimates
            ours, theirs, gap = (found[n] for n in ("software_readers", "readers_readers", "difference"))
            return _share(ours), _share(theirs), _points(gap)
    # With one reader there is nobody to compare them with.
    single = [
        p for p in result.pairs if p.endpoint is endpoint and p.kind in WITH_ONE_READER and not p.stratum
    ]
    return (_share(single[0].estimates["exact"]) if single else "-"), "-", "-"


def _share(entry: EstimateEntry) -> str:
    return "-" if entry.value is None else f"{100 * entry.value:.1f} %, n {entry.n}"


def _points(entry: EstimateEntry) -> str:
    """Write a difference with its interval in percentage points, and on how many cases."""
    if entry.value is None:
        return f"not to be judged, n {entry.n}"
    if entry.low is None or entry.high is None:
        return f"{_signed(entry.value)}, n {entry.n}"
    return f"{_signed(entry.value)} ({_signed(entry.low)} to {_signed(entry.high)}), n {entry.n}"


def _signed(share: float) -> str:
    # Adding 0 makes a difference that rounds to nothing +0.0, never -0.0.
    return f"{round(100 * share, 1) + 0.0:+.1f}"
