"""Folders of labelled images as rows of a dataset sheet: tiles with a score, images with a mask.

What a folder does not say (source, licence, pixel size) is stated once for all of it.  The rows are
written as a sheet, which a person can correct and complete.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from her2path.domain.ihc import IhcScore
from her2path.errors import CaseSheetError, SheetFault
from her2path.io.dataset_documents import Split
from her2path.io.dataset_sheet import COLUMNS, WHAT

UNKNOWN_PATIENT = "unknown-"
"""How the pseudonym begins where nobody knows the patient; each such image counts as a patient of its own."""
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_SCORE = re.compile(
    r"(?:^|[\s_]|(?<!\d)-)(?:"
    r"(?:her-?2[\s_-]*)?(?:score)?[\s_-]*([0-3])\+"
    r"|(?:her-?2[\s_-]*)?score[\s_-]*([0-3])"
    r"|her-?2[\s_-]*([0-3])"
    r"|(?:train|training|val|valid|validation|test|testing)_(0)$"
    r")(?=$|[\s_-])",
    re.IGNORECASE,
)
"""A score with its plus sign, a bare digit behind `score` or `HER2`, or the 0 of BCI (`_train_0`).  Any
other bare digit is a running number, which names end with as often."""
_STAINS = frozenset({"he", "h&e"}), frozenset({"ihc", "her2"})
"""Folders of a set that holds two stains of the same tissue, as BCI does: H&E, and the one that is scored."""
_PARTS = re.compile(r"[_\s]+|(?<=\D)-|-(?=\D)")
_MASK_SUFFIXES = ("_mask", "_masks", "_label", "_labels", "-mask", "-labels")
_MASK_FOLDERS = ("masks", "mask", "labels", "label", "groundtruth")

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated for all images of a folder."""

    mpp: float | None = None
    source: str | None = None
    licence: str | None = None
    patient: str | None = None
    """Regular expression whose first group, found in the path below the folder, is the patient."""
    mask_of: str | None = None
    """A `MaskOf`; checked with the rest of the row."""


def rows_of_tiles(folder: Path, stated: Stated, *, sheet: Path) -> list[Row]:
    """List tiles with the score and split that their names or folders state.

    A name like ``00001_train_2+.png`` (the habit of BCI and HER2-IHC-40x), or a folder named after a score
    (``2+``, ``score_2``); likewise for splits.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders.
    stated : Stated
    sheet : Path
        Where the rows will be written; paths are relative to its folder.

    Raises
    ------
    CaseSheetError
        There is no folder or image, or names hold no score or two: all of these at once.
    """
    rows, faults = [], []
    for image in without_he(folder)[0]:
        inner = image.relative_to(folder)
        scores, splits = _scores_of(inner), _splits_of(inner)
        if len(scores) == 1 and len(splits) <= 1:
            named = {"score": scores[0], "split": splits[0] if splits else ""}
            rows.append(_row(image, "tile", stated, folder, sheet) | named)
            continue
        if len(scores) != 1:
            found = f"states the scores {' and '.join(scores)}" if scores else "states no score"
            remedy = "name it like `00001_train_2+.png` or put it into a folder `2+`"
            faults.append(SheetFault(0, inner.as_posix(), f"{found}; {remedy}, or write a dataset.tsv"))
        if len(splits) > 1:
            found = f"states the splits {' and '.join(splits)}"
            faults.append(SheetFault(0, inner.as_posix(), f"{found}; keep the right one in name and folders"))
    return _checked(rows, faults, folder, "tiles")


def without_he(folder: Path) -> tuple[list[Path], int]:
    """List the images of a folder; where it holds two stains, H&E is left out.

    Returns
    -------
    images : list of Path
    left_out : int
        Images in a folder ``HE`` beside those in a folder ``IHC``, as BCI lays them out.

    Raises
    ------
    CaseSheetError
        There is no such folder.
    """
    images = list(_images(folder))
    he, ihc = ([image for image in images if _is_within(image, folder, names)] for names in _STAINS)
    left_out = set(he) if ihc else set()
    return [image for image in images if image not in left_out], len(left_out)


def _is_within(image: Path, folder: Path, names: frozenset[str]) -> bool:
    return any(part.lower() in names for part in image.relative_to(folder).parts[:-1])


def rows_of_masks(folder: Path, stated: Stated, *, sheet: Path) -> list[Row]:
    """List images with the mask of each.

    A mask has the name of its image with ``_mask`` or ``_label`` behind it, or the same name in a folder
    ``masks`` or ``labels`` beside that of the images.

    Raises
    ------
    CaseSheetError
        There is no folder or pair, or an image has no mask: all of these at once.
    """
    files = list(_images(folder))
    masks = {_key(file.relative_to(folder)): file for file in files if _is_mask(file.relative_to(folder))}
    rows, faults = [], []
    for image in files:
        inner = image.relative_to(folder)
        if _is_mask(inner):
            continue
        mask = masks.get(_key(inner))
        if mask is None:
            message = (
                f"has no mask; give {inner.stem}_mask.png beside it, or {inner.stem}.png in a folder masks"
            )
            faults.append(SheetFault(0, inner.as_posix(), message))
            continue
        row = _row(image, "masks", stated, folder, sheet)
        rows.append(row | {"labels": _relative(mask, sheet), "mask_of": stated.mask_of or ""})
    return _checked(rows, faults, folder, "images with masks")


def sheet_text(rows: Sequence[Row]) -> str:
    """Write rows as a dataset sheet."""
    lines = ["\t".join(COLUMNS), *("\t".join(row.get(name, "") for name in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


def _images(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise CaseSheetError((SheetFault(0, "", f"there is no folder {folder.name!r}"),), WHAT)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _IMAGES and path.is_file() and not path.name.startswith("."):
            yield path


def _checked(rows: list[Row], faults: list[SheetFault], folder: Path, what: str) -> list[Row]:
    if not rows and not faults:
        suffixes = ", ".join(sorted(_IMAGES))
        faults.append(SheetFault(0, "", f"folder {folder.name!r} holds no {what} ({suffixes})"))
    if faults:
        raise CaseSheetError(tuple(faults), WHAT)
    return rows


def _row(image: Path, kind: str, stated: Stated, folder: Path, sheet: Path) -> Row:
    return {
        "image": _relative(image, sheet),
        "kind": kind,
        "mpp": "" if stated.mpp is None else f"{stated.mpp:g}",
        "patient_id": _patient_of(image.relative_to(folder), stated),
        "source": stated.source or "",
        "licence": stated.licence or "",
    }


def _patient_of(inner: PurePath, stated: Stated) -> str:
    if stated.patient is None:
        return UNKNOWN_PATIENT + re.sub(r"[^A-Za-z0-9._-]+", "-", inner.with_suffix("").as_posix())[-50:]
    found = re.search(stated.patient, inner.as_posix())
    return found[1] if found and found.groups() and found[1] else ""


def _scores_of(inner: PurePath) -> list[IhcScore]:
    """Find all scores that the names of folders and of the file state, each once."""
    found = [hit for part in (*inner.parts[:-1], inner.stem) for hit in _SCORE.findall(part)]
    found += [("0",) for part in inner.parts[:-1] if part == "0"]  # beside `1+`; there is no `0+`
    digits = sorted({digit for hit in found for digit in hit if digit})
    return [IhcScore.ZERO if digit == "0" else IhcScore(f"{digit}+") for digit in digits]


def _splits_of(inner: PurePath) -> list[Split]:
    words = [*inner.parts[:-1], *_PARTS.split(inner.stem)]
    return sorted({_SPLITS[word.lower()] for word in words if word.lower() in _SPLITS})


def _is_mask(inner: PurePath) -> bool:
    named = inner.stem.lower().endswith(_MASK_SUFFIXES)
    return named or any(part.lower() in _MASK_FOLDERS for part in inner.parts[:-1])


def _key(inner: PurePath) -> str:
    """Name what an image and its mask have in common."""
    stem = inner.stem.lower()
    for suffix in _MASK_SUFFIXES:
        stem = stem.removesuffix(suffix)
    folders = [p for p in inner.parts[:-1] if p.lower() not in {*_MASK_FOLDERS, "images", "image"}]
    return "/".join([*folders, stem])


def _relative(file: Path, sheet: Path) -> str:
    return Path(os.path.relpath(file.resolve(), sheet.parent.resolve())).as_posix()
