"""The PDFs and summaries of a whole run, held against its calls."""

from __future__ import annotations

import pytest

from her2path.io.documents import CallDoc, read_document
from tests.support.pdfs import is_printed, numbers_in, numbers_of, text_of
from tests.workflow.conftest import her2path_run

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]


def test_every_case_of_the_demo_has_a_pdf_with_all_numbers_of_its_call(demo):
    calls = sorted(demo.out.glob("cases/*/call.json"))
    assert len(calls) >= 9
    for path in calls:
        numbers = numbers_of(read_document(path, CallDoc))
        printed = numbers_in(text_of(path.with_name("report.pdf")))
        assert [name for name, value in numbers.items() if not is_printed(value, printed)] == [], path


def test_every_case_of_the_demo_has_its_summary_as_text_and_as_a_table(demo):
    for path in sorted(demo.out.glob("cases/*/call.json")):
        assert path.with_name("synoptic.txt").read_text(encoding="utf-8").startswith("HER2 summary of case")
        assert path.with_name("synoptic.csv").read_bytes().startswith(b"case_id,part,field")


def test_a_run_without_pdfs_plans_none(sample_data, tmp_path):
    config = tmp_path / "config.yaml"
    planned = {}
    for pdf in ("true", "false"):
        config.write_text(f"pdf: {pdf}\n", encoding="utf-8")
        options = ("--config", str(config), "--dry-run", "--cores", "1")
        run = her2path_run(sample_data / "cases.tsv", tmp_path / pdf, *options)
        assert run.code == 0
        planned[pdf] = run.stdout + run.stderr
    assert "case_pdf" in planned["true"]
    assert "case_pdf" not in planned["false"]
    assert "case_report" in planned["false"]
