"""A small study whose disagreements are known: results of a run, reads of three readers, one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from her2path.io.read_sheet import BLINDED, DATE, READER
from her2path.steps import cohort_report, qa_reads
from tests.support.case_documents import CLEAN, ONE_PLUS, THREE_PLUS, TWO_PLUS, Ihc, write_case
from tests.support.cohorts import write_sheet

SOFTWARE = {
    "opposite": ONE_PLUS,
    "low": ONE_PLUS,
    "open": TWO_PLUS,
    "two_readers": ONE_PLUS,
    "silent": CLEAN,
} | {f"agreed{i}": THREE_PLUS if i % 2 else CLEAN for i in range(8)}
"""What the software saw of each case."""
_AGREED = {f"agreed{i}": ("3+", "3+", "3+") if i % 2 else ("0", "0", "0") for i in range(8)}
SCORES: Mapping[str, tuple[str, ...]] = {
    "opposite": ("3+", "1+", "1+"),
    "low": ("0", "1+", "1+"),
    "open": ("1+", "2+", "2+"),
    "two_readers": ("3+", "3+", "1+"),
    "silent": ("", "", ""),
} | _AGREED
"""First scores of readers A, B and C; nobody read the silent case."""
READERS = ("A", "B", "C")
ORDER = ("two_readers", "opposite", "low", "open")
"""Of review."""
READ_ON = "2026-01-10"
LATER = "2026-03-01"


@dataclass(frozen=True)
class Study:
    """Folders of the run and of quality assurance."""

    results: Path
    out: Path

    @property
    def table(self) -> Path:
        return self.out / "qa" / "reads.parquet"

    @property
    def rereads(self) -> Path:
        return self.out / "qa" / "rereads"

    def key(self, list_id: str) -> Path:
        return self.rereads / f"key.{list_id}.json"

    def only_list(self) -> Path:
        (path,) = (self.out / "rereads").glob("*.tsv")
        return path


def write_study(folder: Path) -> Study:
    """Write the results of the run and `qa/reads.parquet`."""
    results, out = folder / "results", folder / "qa_out"
    cases = {case: [Ihc(image_id=f"{case}-ihc", cells=cells)] for case, cells in SOFTWARE.items()}
    for case, images in cases.items():
        write_case(results, case, *images)
    for image in (results / "images").iterdir():
        (image / "hotspots.geojson").write_text("{}")
    cohort_report.run(
        sheet=write_sheet(folder, cases),
        cases=results / "cases",
        images=results / "images",
        calls=results / "calls.csv",
        table=results / "calls.parquet",
        cohort=results / "cohort.html",
        params=cohort_report.CohortReportParams(),
    )
    lines = ["case_id\treader\tdate\tihc_score\tcomment"]
    for case, scores in SCORES.items():
        lines += [
            f"{case}\t{reader}\t{READ_ON}\t{score}\tseen by {reader}"
            for reader, score in zip(READERS, scores, strict=True)
            if score
        ]
    reads = folder / "reads.tsv"
    reads.write_text("\n".join(lines) + "\n", encoding="utf-8")
    study = Study(results, out)
    qa_reads.run(reads=reads, calls=results, table=study.table, params=qa_reads.QaReadsParams())
    return study


def filled(text: str, scores: Mapping[int, str], **head: str) -> str:
    """Fill in a list: scores by number, and the head (reader, date, blinded)."""
    known = {READER: "A", DATE: LATER, BLINDED: "yes"} | {
        BLINDED if k == "blinded" else k: v for k, v in head.items()
    }
    lines = []
    for line in text.splitlines():
        cells = line.split("\t")
        if cells[0] in known and len(cells) == 2:
            cells[1] = known[cells[0]]
        elif len(cells) > 2 and cells[1].isdecimal():
            cells[2] = scores.get(int(cells[1]), "")
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"
