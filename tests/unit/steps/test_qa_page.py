from __future__ import annotations

import json

import pytest

from her2path.errors import ArtefactError
from her2path.io.documents import read_document, write_document
from her2path.io.qa_page_documents import QaDoc
from her2path.steps import qa_page
from her2path.steps.qa_page import QaPageParams
from tests.support.pages import Page
from tests.support.qa_results import agreement, agreement_doc, method
from tests.support.qa_watched import monitoring, monitoring_doc, review, review_doc


def written(root, result=None):
    source = root / "agreement.json"
    write_document(source, agreement_doc(result))
    page, numbers, tables = root / "qa.html", root / "qa.json", root / "tables"
    qa_page.run(agreement=source, page=page, numbers=numbers, tables=tables, params=QaPageParams())
    return page, numbers, tables


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_page_numbers_and_tables_are_written(tmp_path):
    page, numbers, tables = written(tmp_path)
    assert "Quality assurance of 10 cases" in Page(page.read_text(encoding="utf-8")).text
    document = read_document(numbers, QaDoc)
    assert {path.stem for path in tables.glob("*.csv")} == set(document.result.tables)


def test_the_numbers_hold_the_whole_document_of_agreement_and_what_the_page_counts(tmp_path):
    _, numbers, _ = written(tmp_path)
    result = read_document(numbers, QaDoc).result
    assert result.agreement.result == agreement()
    assert (result.effects.treatment, result.effects.compared) == (2, 20)
    assert result.monitoring is None


def test_the_rows_of_each_table_are_counted_in_the_numbers(tmp_path):
    _, numbers, tables = written(tmp_path, agreement(methods=(method([1.0, 2.0]),)))
    for name, rows in json.loads(numbers.read_text(encoding="utf-8"))["result"]["tables"].items():
        text = (tables / f"{name}.csv").read_bytes().decode()
        assert text.count("\r\n") == rows + 1


def test_the_same_document_gives_the_same_bytes_whatever_was_there_before(tmp_path):
    written(tmp_path / "a")
    written(tmp_path / "b", agreement(methods=(method([1.0, 2.0]),)))
    written(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_monitoring_and_review_are_part_of_the_numbers_and_of_the_origin(tmp_path):
    paths = {"agreement": agreement_doc(), "monitoring": monitoring_doc(), "review": review_doc()}
    for name, document in paths.items():
        write_document(tmp_path / f"{name}.json", document)
    qa_page.run(
        **{name: tmp_path / f"{name}.json" for name in paths},
        page=tmp_path / "qa.html",
        numbers=tmp_path / "qa.json",
        tables=tmp_path / "tables",
        params=QaPageParams(),
    )
    document = read_document(tmp_path / "qa.json", QaDoc)
    assert set(document.inputs) == set(paths)
    assert document.result.monitoring.result == monitoring()
    assert document.result.review.result == review()
    assert len((tmp_path / "tables" / "review_cases.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_a_document_of_another_kind_is_refused_by_name(tmp_path):
    path = tmp_path / "agreement.json"
    path.write_text('{"schema_version": "call/3"}', encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"agreement\.json.*'call/3'"):
        qa_page.run(
            agreement=path,
            page=tmp_path / "qa.html",
            numbers=tmp_path / "qa.json",
            tables=tmp_path / "tables",
            params=QaPageParams(),
        )
    assert not (tmp_path / "qa.html").exists()
