"""A key of shown nuclei made up in memory, and sheets filled in for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from her2path.domain.ish import Probe
from her2path.io.read_sheet import empty_sheet
from her2path.io.recount_documents import RecountKeyResult, ShownNucleus

SHOWN = 24
SHEET = "bcdfghjk"


def key_of(*, probe: Probe = Probe.DUAL, nuclei: int = SHOWN, **more: object) -> RecountKeyResult:
    """Show `nuclei` nuclei of one image; the program had counted 6 and 4 in each."""
    shown = tuple(
        ShownNucleus(
            number=number,
            image_id="f1",
            nucleus_id=100 + number,
            x_px0=1.0,
            y_px0=2.0,
            in_first_count=False,
            program_her2=6,
            program_cep17=None if probe is Probe.SINGLE else 4,
        )
        for number in range(1, nuclei + 1)
    )
    known: dict[str, object] = {
        "sheet_id": SHEET,
        "case_id": "c1",
        "probe": probe,
        "image_files": {"f1": ("aa",)},
        "seed": 0,
        "nuclei": shown,
    }
    return RecountKeyResult.model_validate(known | more)


def filled(
    key: RecountKeyResult,
    rows: Mapping[int, str] | None = None,
    *,
    reader: str = "AB",
    day: str = "2026-11-20",
    blinded: str = "yes",
    counts: str = "7\t4\t\t",
) -> str:
    """Fill in the sheet of a key; `rows` replaces what stands behind the number of a nucleus."""
    dual = key.probe is Probe.DUAL
    lines = []
    for line in empty_sheet(key.sheet_id, len(key.nuclei), key.probe).splitlines():
        cells = line.split("\t")
        if cells[0] == key.sheet_id:
            number = int(cells[1])
            given = (rows or {}).get(number, counts if dual else "7\t\t")
            lines.append(f"{cells[0]}\t{number}\t{given}")
        else:
            head = {"reader": reader, "date": day, "did_not_know_first_result": blinded}
            lines.append(f"{line}{head[cells[0]]}" if cells[0] in head else line)
    return "\n".join(lines) + "\n"


def written(path: Path, text: str) -> Path:
    """Write a sheet as plain UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
