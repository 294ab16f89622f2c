"""From a call that waits for a recount, over a blinded sheet, to the call that rests on a person's read."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from her2path.io.documents import CallDoc, read_document
from her2path.io.recount_documents import RecountKeyDoc
from her2path.io.recount_folder import RecountFolder
from tests.support.read_sheets import filled, written
from tests.workflow.conftest import Run, her2path_run

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]

G3, G4 = "demo_ihc2_g3", "demo_ihc2_g4"


def recount(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "her2path.cli.main", "recount", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def call_of(out: Path, case_id: str) -> CallDoc:
    return read_document(out / "cases" / case_id / "call.json", CallDoc)


def read_by_script(out: Path, case_id: str, folder: Path) -> Path:
    """Fill in a sheet as somebody would who sees one HER2 signal more in every third nucleus.

    A test's stand-in for a person; nothing of the kind is part of her2path.
    """
    key = read_document(RecountFolder.of(out, case_id).key, RecountKeyDoc).result
    rows = {n.number: f"{n.program_her2 + (n.number % 3 == 0)}\t{n.program_cep17}\t\t" for n in key.nuclei}
    return written(folder / f"{case_id}.tsv", filled(key, rows))


def test_calls_that_wait_for_a_recount_change_when_a_person_has_read(demo: Run, sample_data, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(demo.out, out)
    waiting = call_of(out, G3)
    assert (waiting.state, [check.agrees for check in waiting.checks][:1]) == ("needs_recount", [True])

    prepared = recount("prepare", "--out", str(out))
    assert prepared.returncode == 0, prepared.stderr
    assert {line.split(":")[0] for line in prepared.stdout.splitlines()} == {"demo_ihc2_g2", G3, G4}
    sheets = [read_by_script(out, case_id, tmp_path) for case_id in (G3, G4)]
    taken = recount("take", "--out", str(out), *map(str, sheets))
    assert taken.returncode == 0, taken.stderr

    again = her2path_run(sample_data / "cases.tsv", out, "--cores", "2")
    assert again.code == 0, again.stderr
    with (sample_data / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["case_id"]: row for row in csv.DictReader(file)}
    assert call_of(out, G3).state == truth[G3]["state_after_recount"] == "positive"
    assert (call_of(out, G3).recount["reader"], call_of(out, G3).recount["nuclei_of_first_count"]) == (
        "AB",
        0,
    )
    assert call_of(out, G4).state == "negative"
    assert "recount_nuclei_reused" in call_of(out, G4).flags
    assert call_of(out, "demo_ihc2_g2").state == "needs_recount"
    page = (out / "cases" / G3 / "report.html").read_text(encoding="utf-8")
    assert "Counted by <strong>AB</strong> on 2026-11-20" in page
    jobs = (out / "logs" / "snakemake.log").read_text(encoding="utf-8")
    assert "rule case_call" in jobs
    assert "rule fish_counts" not in jobs

    shutil.rmtree(out / "cases" / G3 / "recount")
    her2path_run(sample_data / "cases.tsv", out, "--cores", "2")
    assert call_of(out, G3).state == "needs_recount"
    assert json.loads((out / "cases" / G4 / "recount" / "recount.json").read_text(encoding="utf-8"))
