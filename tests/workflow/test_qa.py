"""Quality assurance on the results of the main job: by its command, and by the rules of the workflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]
OPTIONS = ("reads", "strata", "runs")


@pytest.fixture(scope="module")
def compared(demo, sample_data, tmp_path_factory):
    """Folder of `her2path qa` on the demo, and what it printed."""
    out = tmp_path_factory.mktemp("qa")
    given = [part for name in OPTIONS for part in (f"--{name}", str(sample_data / f"{name}.tsv"))]
    command = [sys.executable, "-m", "her2path.cli.main", "qa", "--calls", str(demo.out), *given]
    done = subprocess.run([*command, "--out", str(out)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def agreement(out):
    return json.loads((out / "qa" / "agreement.json").read_text(encoding="utf-8"))["result"]


def test_the_demo_is_compared_with_its_made_up_readers(compared):
    out, printed = compared
    result = agreement(out)

    assert (result["cases"], result["reads"]) == (9, 36)
    assert [entry["reader"] for entry in result["readers"]] == ["her2path", "reader_1", "reader_2"]
    assert "9 cases, 36 reads by 2 readers, breast_2023" in printed


def test_the_faint_staining_that_a_reader_overlooked_is_the_only_treatment_that_changes(compared):
    effects = [e for e in agreement(compared[0])["category_effects"] if e["changes"] == "treatment"]

    assert [(e["second"], e["case_ids"]) for e in effects] == [("reader_2", ["demo_ihc1"])]


def test_the_fading_control_is_alarmed(compared):
    monitoring = json.loads((compared[0] / "qa" / "monitoring.json").read_text(encoding="utf-8"))

    assert monitoring["result"]["alarms"]


def test_the_rules_of_the_workflow_make_the_same_document(demo, sample_data, compared):
    settings = json.loads((demo.out / "logs" / "config.json").read_text(encoding="utf-8"))
    settings["qa"] = {name: str(sample_data / f"{name}.tsv") for name in OPTIONS}
    config = compared[0] / "config.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--nolock"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [
            *command,
            "--configfile",
            str(config),
            "--directory",
            str(demo.out),
            "--cores",
            "1",
            "--",
            "qa.html",
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )

    assert done.returncode == 0, done.stderr
    assert agreement(demo.out) == agreement(compared[0])
    assert (demo.out / "qa.html").is_file()
