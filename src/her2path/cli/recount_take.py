"""Take filled read sheets back: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from her2path.cli.batch import locked
from her2path.errors import ConfigError, ReadSheetError, SheetFault
from her2path.io.documents import Producer, SlideDoc, document_text, read_document
from her2path.io.provenance import digests
from her2path.io.read_check import checked_read
from her2path.io.read_sheet import SHEET_ID, ReadSheet, read_sheet
from her2path.io.recount_documents import RecountDoc, RecountKeyResult, RecountResult
from her2path.io.recount_folder import RecountFolder, keys_of

_Faults = tuple[SheetFault, ...]


@dataclass(frozen=True, slots=True)
class _Taken:
    folder: RecountFolder
    read: RecountResult
    text: str
    """Of the document."""


def take(out: Path, reads: Sequence[Path], *, today: date, replace: bool) -> list[str]:
    """Check filled read sheets and write `recount.json` of their cases.

    Parameters
    ----------
    out : Path
        Folder of the results.
    reads : sequence of Path
        Filled sheets.
    today : date
        No read was made later.
    replace : bool
        Whether an earlier read of a case may be replaced; it is kept beside the new one.

    Returns
    -------
    list of str
        What was taken, a line a case.

    Raises
    ------
    ReadSheetError
        With every fault of every sheet; nothing was written then.
    ConfigError
        The folder holds no results.
    """
    if not (out / "cases").is_dir():
        raise ConfigError((f"{out.name!r} holds no results of `her2path run`",))
    with locked(out):
        keys = keys_of(out)
        faults: dict[str, _Faults] = {}
        taken: dict[str, tuple[str, _Taken]] = {}
        for path in reads:
            found = _take_one(out, path, keys, today=today, replace=replace)
            if isinstance(found, _Taken) and found.read.case_id in taken:
                other = taken[found.read.case_id][0]
                found = (SheetFault(0, "", f"{other} is a read of the same case; give one of them"),)
            if isinstance(found, _Taken):
                taken[found.read.case_id] = (path.name, found)
            else:
                faults[_label(path, reads)] = found
        if faults:
            raise ReadSheetError(faults)
        return [_write(one) for _, one in taken.values()]


def _label(path: Path, reads: Sequence[Path]) -> str:
    """Name a sheet by its file, and where several have one name by its folder too."""
    alike = sum(other.name == path.name for other in reads) > 1
    return "/".join(path.parts[-3:]) if alike else path.name


def _take_one(
    out: Path,
    path: Path,
    keys: Mapping[str, tuple[RecountFolder, RecountKeyResult]],
    *,
    today: date,
    replace: bool,
) -> _Taken | _Faults:
    sheet = read_sheet(path)
    if isinstance(sheet, tuple):
        return sheet
    if (found := keys.get(sheet.sheet_id)) is None:
        return (_unknown(sheet),)
    folder, key = found
    wrong = [*_place_faults(out, path, folder), *_image_faults(out, key)]
    read = checked_read(sheet, key, today=today)
    if isinstance(read, tuple):
        return (*wrong, *read)
    text = _text(path, folder, read)
    if folder.read.is_file() and folder.read.read_text(encoding="utf-8") != text and not replace:
        earlier = folder.read_read()
        by = "" if earlier is None or earlier.result is None else f" by {earlier.result.reader}"
        wrong.append(
            SheetFault(0, "", f"the case has a read{by} already; --replace keeps it beside this one")
        )
    return tuple(wrong) if wrong else _Taken(folder, read, text)


def _unknown(sheet: ReadSheet) -> SheetFault:
    if not sheet.sheet_id:
        return SheetFault(sheet.columns_line, SHEET_ID, "is empty in every row")
    line = next(row.line for row in sheet.rows if row.cells.get(SHEET_ID) == sheet.sheet_id)
    message = f"no sheet {sheet.sheet_id!r} was prepared in this folder: it belongs to other results"
    return SheetFault(line, SHEET_ID, message)


def _place_faults(out: Path, path: Path, folder: RecountFolder) -> list[SheetFault]:
    """Find a sheet that lies in the folder of another case than its own."""
    home = path.resolve().parent
    if home.name == "recount" and home.parent.parent == out / "cases" and home != folder.path:
        message = f"lies in the folder of case {home.parent.name}, but is of another case"
        return [SheetFault(0, "", message)]
    return []


def _image_faults(out: Path, key: RecountKeyResult) -> list[SheetFault]:
    files = {}
    for name in key.image_files:
        path = out / "images" / name / "slide.json"
        if path.is_file() and (slide := read_document(path, SlideDoc).result) is not None:
            files[name] = frozenset(file.sha256 for file in slide.files)
    if key.is_of(files):
        return []
    message = "the images of the case have changed since the sheet was prepared; prepare another one"
    return [SheetFault(0, SHEET_ID, message)]


def _text(path: Path, folder: RecountFolder, read: RecountResult) -> str:
    key = folder.path / f"key.{read.sheet_id}.json"
    inputs = digests(read_sheet=path, key=key if key.is_file() else folder.key)
    maker = Producer(step="recount_take", version=version("her2path"))
    return document_text(RecountDoc(produced_by=maker, inputs=inputs, result=read))


def _write(one: _Taken) -> str:
    read, total = one.read, one.read.summary
    words = f"{read.case_id}: {total.nuclei} of {len(read.nuclei)} nuclei counted by {read.reader}"
    if one.folder.read.is_file() and one.folder.read.read_text(encoding="utf-8") == one.text:
        return f"{words}; taken back before"
    kept = one.folder.replace_read(one.text)
    words += f"; the earlier read is kept as {kept.name}" if kept is not None else ""
    if not read.did_not_know_first_result:
        words += "; the reader knew the first result, so the count confirms nothing"
    if read.equals_program:
        words += "; every count is exactly the program's, which the call flags"
    return f"{words}; run `her2path run` again to call the case"
