"""Prepare a recount: choose nuclei, draw the blinded page, write the empty sheet and its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from her2path.cli.batch import locked
from her2path.cli.recount_images import ShownImage, open_image, pictures_of
from her2path.cli.sheet_of_run import sheet_of_run
from her2path.domain.case import Assay
from her2path.domain.guideline.definition import RecountUse
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.guideline.rejections import MIN_NUCLEI
from her2path.domain.recount_choice import Candidate, Wish, choose
from her2path.domain.verdict import NotEvaluable, State
from her2path.errors import ConfigError, SlideError
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import CallDoc, Producer, read_document, write_document
from her2path.io.files import write_text
from her2path.io.read_sheet import empty_sheet
from her2path.io.recount_documents import RecountKeyDoc, RecountKeyResult, pseudonym_fault
from her2path.io.recount_folder import RecountFolder
from her2path.reports.html.rendering import render_read_page
from her2path.reports.read_page import read_page

_ASKED = "ACT-RECOUNT"
_OBSERVERS = 2
"""Images of a third or further observer are no part of the call, so they are none of a recount."""
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")


@dataclass(frozen=True, slots=True)
class Order:
    """What to prepare, and how."""

    out: Path
    wish: Wish
    first_observer: str | None = None
    again: bool = False
    hand_out: Path | None = None
    case_sheet: Path | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of one case."""

    case_id: str
    prepared: bool
    words: str


def prepare(order: Order, cases: Sequence[str]) -> list[Prepared]:
    """Write page, sheet and key of each case.

    Parameters
    ----------
    order : Order
        What to prepare, and how.
    cases : sequence of str
        Cases; none = all that wait for a recount and have no read yet.

    Raises
    ------
    ConfigError
        The folder holds no results, a case is unknown, or the first observer is no pseudonym.
    """
    if order.first_observer is not None and (fault := pseudonym_fault(order.first_observer)):
        raise ConfigError((f"--first-observer: {fault}",))
    sheet = sheet_of_run(order.out, named=order.case_sheet)
    if unknown := [name for name in cases if name not in sheet.case_ids]:
        raise ConfigError(tuple(f"case {name!r} is not in the case sheet" for name in unknown))
    with locked(order.out):
        chosen = cases or [name for name in sheet.case_ids if _waits(order.out, name)]
        return [_prepare_case(order, name, sheet.images_of(name)) for name in dict.fromkeys(chosen)]


def _waits(out: Path, case_id: str) -> bool:
    path = out / "cases" / case_id / "call.json"
    if not path.is_file() or RecountFolder.of(out, case_id).read.is_file():
        return False
    call = read_document(path, CallDoc)
    return call.state == State.NEEDS_RECOUNT and any(comment.code == _ASKED for comment in call.comments)


def _prepare_case(order: Order, case_id: str, rows: Sequence[ImageRow]) -> Prepared:
    try:
        with ExitStack() as files:
            fish = [row for row in rows if row.assay is Assay.FISH and row.observer <= _OBSERVERS]
            images = [files.enter_context(open_image(order.out, row)) for row in fish]
            if not images:
                return Prepared(case_id, False, "no sheet: the case has no FISH image")
            made = _make(order, case_id, images)
    except SlideError as error:
        return Prepared(case_id, False, f"no sheet: {error}")
    return Prepared(case_id, False, f"no sheet: {made.reason}") if isinstance(made, NotEvaluable) else made


def _make(order: Order, case_id: str, images: Sequence[ShownImage]) -> Prepared | NotEvaluable:
    may_reuse = find_guideline(images[0].row.guideline).recount_use is not RecountUse.ADD
    candidates = [one for image in images for one in image.candidates()]
    chosen = choose(candidates, replace(order.wish, may_reuse=may_reuse))
    if isinstance(chosen, NotEvaluable):
        return chosen
    by_id = {image.row.image_id: image for image in images}
    key = _key(order, case_id, chosen, by_id)
    folder = RecountFolder.of(order.out, case_id)
    empty = empty_sheet(key.sheet_id, len(key.nuclei), key.probe)
    if (obstacle := _obstacle(folder, key, empty, order)) is not None:
        return Prepared(case_id, False, obstacle)
    pictures = pictures_of([(by_id[n.image_id], n.nucleus_id) for n in key.nuclei])
    mpp = [by_id[n.image_id].slide.mpp for n in key.nuclei]
    folder.set_aside_other(key.sheet_id)
    write_text(folder.page, render_read_page(read_page(key.sheet_id, pictures, mpp, key.probe)))
    write_text(folder.sheet, empty)
    # Last: a key without its page would take back a sheet that nobody could have read.
    inputs = {name: digest for image in images for name, digest in image.digests.items()}
    maker = Producer(step="recount_prepare", version=version("her2path"), params={"seed": order.wish.seed})
    write_document(folder.key, RecountKeyDoc(produced_by=maker, inputs=inputs, result=key))
    if order.hand_out is not None:
        _hand_out(folder, key.sheet_id, order.hand_out)
    few = sum(not one.in_first_count for one in candidates) < MIN_NUCLEI
    return Prepared(case_id, True, _words(key, few_others=few))


def _key(
    order: Order, case_id: str, chosen: Sequence[Candidate], by_id: Mapping[str, ShownImage]
) -> RecountKeyResult:
    shown = tuple(
        by_id[one.image_id].shown(number, one.nucleus_id, in_first_count=one.in_first_count)
        for number, one in enumerate(chosen, start=1)
    )
    used = sorted({nucleus.image_id for nucleus in shown})
    key = RecountKeyResult(
        sheet_id="unnamed",
        case_id=case_id,
        probe=by_id[used[0]].row.probe,
        image_files={name: by_id[name].files for name in used},
        two_plus_images=tuple(name for name in used if by_id[name].is_two_plus),
        first_observer=order.first_observer,
        seed=order.wish.seed,
        nuclei=shown,
    )
    return key.model_copy(update={"sheet_id": _name(key)})


def _name(key: RecountKeyResult) -> str:
    """Name a sheet by what its key states: the same nuclei of the same case in the same order have one id.

    Letters alone, and no vowels: a spreadsheet takes no such cell for a number, a reader none for a word.
    """
    places = [[n.image_id, n.nucleus_id, round(n.x_px0, 2), round(n.y_px0, 2)] for n in key.nuclei]
    stated = json.dumps([key.case_id, key.image_files, key.first_observer, places], sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()[:8].translate(_LETTERS)


def _obstacle(folder: RecountFolder, key: RecountKeyResult, empty: str, order: Order) -> str | None:
    """Say what would be lost if the sheet were written; None where nothing would."""
    old = folder.read_key()
    if old is not None and old.sheet_id != key.sheet_id and not order.again:
        return f"has sheet {old.sheet_id}, which may be with a reader; another one is prepared with --again"
    if folder.read.is_file() and not order.again:
        return "has a read already; another sheet is prepared with --again"
    before = None if old is None else empty_sheet(old.sheet_id, len(old.nuclei), old.probe)
    if folder.sheet.is_file() and folder.sheet.read_bytes() not in {
        text.encode() for text in (empty, before or "")
    }:
        return f"{folder.sheet.name} in its folder is filled in; take it back or move it away first"
    return None


def _hand_out(folder: RecountFolder, sheet_id: str, where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    write_text(where / f"{sheet_id}.html", folder.page.read_text(encoding="utf-8"))
    if not (where / f"{sheet_id}.tsv").exists():
        write_text(where / f"{sheet_id}.tsv", folder.sheet.read_text(encoding="utf-8"))


def _words(key: RecountKeyResult, *, few_others: bool) -> str:
    reused = sum(nucleus.in_first_count for nucleus in key.nuclei)
    words = f"sheet {key.sheet_id} with {len(key.nuclei)} nuclei"
    if reused:
        why = " because there are too few others" if few_others else ""
        words += f", {reused} of them from the first count{why}"
    if key.two_plus_images:
        of_area = sum(nucleus.image_id in key.two_plus_images for nucleus in key.nuclei)
        words += f", {of_area} from the area with IHC 2+"
    else:
        words += "; no area of the case sheet is named as the one with IHC 2+"
    return words
