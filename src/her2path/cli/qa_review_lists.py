"""Blinded re-read lists: written with their keys, and taken back all together or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from her2path.cli.batch import locked
from her2path.domain.discordance import ranked
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.reads import interpret
from her2path.domain.reread_list import ListItem, ListWish, compose
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ConfigError, ReadSheetError, SheetFault
from her2path.io.documents import Producer, document_text, read_document, write_document
from her2path.io.files import sha256_of, write_text
from her2path.io.opinions import CaseReads, read_cases
from her2path.io.provenance import digests
from her2path.io.qa_review_entries import (
    ListedCase,
    RereadDoc,
    RereadKeyDoc,
    RereadKeyResult,
    RereadResult,
    ReviewDoc,
)
from her2path.io.read_sheet import ReadSheet
from her2path.io.recount_documents import pseudonym_fault
from her2path.io.reread_sheet import LIST_ID, checked_list, empty_list, read_list
from her2path.io.review_entries import reread_answer
from her2path.io.review_folder import ReviewFolder, adjudications_in, keys_in

# Letters alone, and no vowels: a spreadsheet takes no such cell for a number, a reader none for a word.
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")


def prepare(
    out: Path, wish: ListWish, *, reader: str | None = None, include_decided: bool = False
) -> list[str]:
    """Draw a list and write it with its key.

    Parameters
    ----------
    out : Path
        Folder that `her2path qa --out` wrote.
    wish : ListWish
        How many cases, and the seed.
    reader : str or None
        For whom the list is.
    include_decided : bool
        Whether cases with an adjudication are listed as well.

    Returns
    -------
    list of str
        What was written, in words for the terminal.

    Raises
    ------
    ConfigError
        The folder holds no reads, the reader is no pseudonym, or there is nothing to read again.
    """
    if reader is not None and (fault := pseudonym_fault(reader)):
        raise ConfigError((f"--reader: {fault}",))
    folder = review_folder(out)
    with locked(out):
        cases = {case.case_id: case for case in read_cases(folder.reads) if case.is_compared}
        order = [one.case_id for one in ranked([case.review() for case in cases.values()])]
        decided = set() if include_decided else set(adjudications_in(folder.adjudications).standing())
        agreed = sorted(cases.keys() - set(order))
        made = compose([name for name in order if name not in decided], agreed, wish)
        if isinstance(made, NotEvaluable):
            raise ConfigError((made.reason,))
        key = _key(made, cases, wish, reader)
        return _write(folder, key, made)


def review_folder(out: Path) -> ReviewFolder:
    """Name the files of a review; ConfigError where the folder holds no reads, or those of another study."""
    folder = ReviewFolder(out)
    if not folder.reads.is_file():
        raise ConfigError((f"--out: {out.name!r} holds no reads; run `her2path qa --out` into it first",))
    if folder.review.is_file():
        seen = read_document(folder.review, ReviewDoc).inputs.get("reads")
        if seen != sha256_of(folder.reads):
            message = (
                f"--out: in {out.name!r}, qa/reads.parquet and qa/review.json are not of the same study (a "
                "run was stopped?); run `her2path qa --out` into it again"
            )
            raise ConfigError((message,))
    return folder


def _key(
    made: Sequence[ListItem], cases: Mapping[str, CaseReads], wish: ListWish, reader: str | None
) -> RereadKeyResult:
    items = tuple(
        ListedCase(
            number=item.number,
            case_id=item.case_id,
            guideline=cases[item.case_id].guideline,
            is_discordant=item.is_discordant,
            repeats=item.repeats,
            last_read_on=None if (day := cases[item.case_id].last_read_on) is None else day.isoformat(),
        )
        for item in made
    )
    stated = json.dumps([reader, [item.model_dump(mode="json") for item in items]], sort_keys=True)
    # The same cases in the same order for the same reader have one id.
    list_id = hashlib.sha256(stated.encode()).hexdigest()[:8].translate(_LETTERS)
    return RereadKeyResult(list_id=list_id, seed=wish.seed, reader=reader, items=items)


def _write(folder: ReviewFolder, key: RereadKeyResult, made: Sequence[ListItem]) -> list[str]:
    sheet, empty = folder.sheet(key.list_id), empty_list(key.list_id, len(key.items))
    if sheet.is_file() and sheet.read_bytes() != empty.encode():
        raise ConfigError((f"{sheet.name} is filled in; take it back, or state another --seed",))
    maker = Producer(step="qa_reread", version=version("her2path"), params={"seed": key.seed})
    inputs = digests(reads=folder.reads)
    lines = ["number\tcase_id", *(f"{item.number}\t{item.case_id}" for item in key.items)]
    write_text(folder.slides(key.list_id), "\n".join(lines) + "\n")
    write_document(folder.key(key.list_id), RereadKeyDoc(produced_by=maker, inputs=inputs, result=key))
    # Last: a list without its key could never be taken back.
    write_text(sheet, empty)
    first = [item for item in made if item.repeats is None]
    discordant = sum(item.is_discordant for item in first)
    words = [
        f"list {key.list_id}: {len(made)} numbers, {discordant} cases on which opinions differ, "
        f"{len(first) - discordant} on which they agree, {len(made) - len(first)} of them twice",
        f"for the reader: rereads/{sheet.name}",
        f"not for the reader: qa/rereads/ (key; slides.{key.list_id}.tsv for who hands out the slides)",
    ]
    if len(first) == discordant:
        words.append("all cases of the list are discordant, so it tells the reader that opinions differ")
    return words


@dataclass(frozen=True, slots=True)
class _Taken:
    read: RereadResult
    text: str
    """Of the document."""


def take(out: Path, lists: Sequence[Path], *, today: date, replace: bool) -> list[str]:
    """Check filled lists and write the answers.

    Parameters
    ----------
    out : Path
        Folder that `her2path qa --out` wrote.
    lists : sequence of Path
        Filled lists.
    today : date
        No read was made later.
    replace : bool
        Whether earlier answers of the reader may be replaced; they are kept beside the new ones.

    Returns
    -------
    list of str
        What was taken, a line a list.

    Raises
    ------
    ReadSheetError
        With every fault of every list; nothing was written then.
    ConfigError
        The folder holds no reads.
    """
    folder = review_folder(out)
    with locked(out):
        keys = keys_in(folder.rereads)
        faults: dict[str, tuple[SheetFault, ...]] = {}
        taken: dict[Path, tuple[str, _Taken]] = {}
        for path in lists:
            found = _take_one(folder, path, keys, today=today, replace=replace)
            if isinstance(found, _Taken):
                place = folder.answers(found.read.list_id, found.read.reader)
                if place not in taken:
                    taken[place] = (path.name, found)
                    continue
                found = (SheetFault(0, "", f"{taken[place][0]} holds the same reader's answers; give one"),)
            label = path.name if path.name not in faults else "/".join(path.parts[-2:])
            faults[label] = found
        if faults:
            raise ReadSheetError(faults)
        return [_store(folder, one) for _, one in taken.values()]


def _take_one(
    folder: ReviewFolder, path: Path, keys: Mapping[str, RereadKeyResult], *, today: date, replace: bool
) -> _Taken | tuple[SheetFault, ...]:
    sheet = read_list(path)
    if isinstance(sheet, tuple):
        return sheet
    key = keys.get(sheet.sheet_id)
    if key is None:
        return (_unknown(sheet),)
    filled = checked_list(sheet, key, today=today)
    if isinstance(filled, tuple):
        return filled
    read = RereadResult(
        list_id=key.list_id,
        reader=filled.reader,
        read_on=filled.read_on.isoformat(),
        did_not_know_first_results=filled.did_not_know_first_results,
        answers=tuple(
            reread_answer(answer, interpret(answer.findings, find_guideline(answer.item.guideline)))
            for answer in filled.answers
        ),
    )
    maker = Producer(step="qa_take", version=version("her2path"))
    inputs = digests(list=path, key=folder.key(key.list_id))
    text = document_text(RereadDoc(produced_by=maker, inputs=inputs, result=read))
    old = folder.answers(read.list_id, read.reader)
    if old.is_file() and old.read_text(encoding="utf-8") != text and not replace:
        message = f"{read.reader} gave answers to this list already; --replace keeps them beside these"
        return (SheetFault(0, "", message),)
    return _Taken(read, text)


def _unknown(sheet: ReadSheet) -> SheetFault:
    if not sheet.sheet_id:
        return SheetFault(sheet.columns_line, LIST_ID, "is empty in every row")
    line = next(row.line for row in sheet.rows if row.cells.get(LIST_ID) == sheet.sheet_id)
    return SheetFault(
        line, LIST_ID, f"no list {sheet.sheet_id!r} was made in this folder: it belongs to another"
    )


def _store(folder: ReviewFolder, one: _Taken) -> str:
    read = one.read
    unread = sum(bool(answer.not_read) for answer in read.answers)
    words = f"list {read.list_id}: {len(read.answers) - unread} of {len(read.answers)} read by {read.reader}"
    place = folder.answers(read.list_id, read.reader)
    if place.is_file() and place.read_text(encoding="utf-8") == one.text:
        return f"{words}; taken back before"
    kept = folder.replace_answers(read.list_id, read.reader, one.text)
    words += f"; the earlier answers are kept as {kept.name}" if kept is not None else ""
    if not read.did_not_know_first_results:
        words += "; the reader knew the first results, so this is no blinded read"
    return f"{words}; run `her2path qa` again to see it on the page"
