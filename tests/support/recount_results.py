"""A results folder with two FISH images of one case, for the commands about recounts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from her2path.cli.chain import run_image
from her2path.config import Config
from her2path.domain.guideline.registry import guideline_ids
from her2path.io.case_sheet import CaseSheet, read_case_sheet
from her2path.io.recount_folder import RecountFolder
from tests.support.fish_fields import Disc, Dot, draw_field, write_ome

CASE = "kase-9317"
STEM = "MILLER_biopsy"
FIRST, OTHER = "img-5521-first", "img-7743-other"
AREA = "zone-8866"
HER2, CEP17 = 7, 4
_PITCH = 84


@dataclass(frozen=True)
class Results:
    """Where the results are, and what they were made from."""

    out: Path
    sheet: Path

    @property
    def rows(self) -> CaseSheet:
        return read_case_sheet(self.sheet, guidelines=guideline_ids())

    @property
    def folder(self) -> RecountFolder:
        return RecountFolder.of(self.out, CASE)


def measured(root: Path, *, across: tuple[int, int] = (5, 5), others: str = AREA) -> Results:
    """Measure a field of the first count and one of observer 2, each with `across` squared nuclei."""
    lines = ["case_id\timage_id\tassay\tpath\tguideline\tprobe\tarea\tobserver\tcontrols"]
    for number, (image_id, n, area) in enumerate(zip((FIRST, OTHER), across, (AREA, others), strict=True), 1):
        path = root / f"{STEM}_{number}.ome.tif"
        write_ome(path, _field(n, seed=number))
        lines.append(f"{CASE}\t{image_id}\tfish\t{path.name}\tbreast_2023\tdual\t{area}\t{number}\tpass")
    sheet = root / "cases.tsv"
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    results = Results(root / "out", sheet)
    for row in results.rows.rows:
        why = run_image(row, results.out, Config(), workers=1)
        assert why is None, why
    (results.out / "cases" / CASE).mkdir(parents=True)
    settings = results.out / "logs" / "config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"cases": str(sheet)}), encoding="utf-8")
    return results


def _field(across: int, *, seed: int):
    centres = [(_PITCH * (r + 0.7), _PITCH * (c + 0.7)) for r in range(across) for c in range(across)]
    dots = [
        Dot(channel, row + far * math.cos(2 * math.pi * k / n), col + far * math.sin(2 * math.pi * k / n))
        for row, col in centres
        for channel, n, far in ((1, HER2, 19), (2, CEP17, 9))
        for k in range(n)
    ]
    side = round(_PITCH * (across + 0.4))
    return draw_field([Disc(row, col) for row, col in centres], dots, size=(side, side), seed=seed)
