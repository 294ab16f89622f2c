"""The manifest of a labelled dataset: items, splits by patient, duplicates; leakage is refused."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from her2path.domain.label_classes import LabelClass, label_class
from her2path.domain.number_words import counted
from her2path.errors import CaseSheetError, SheetFault
from her2path.imaging.lookalikes import find_lookalikes
from her2path.io.dataset_documents import (
    SPLITS,
    DatasetDoc,
    DatasetItem,
    Duplicate,
    Split,
)
from her2path.io.dataset_folders import UNKNOWN_PATIENT
from her2path.io.dataset_sheet import WHAT
from her2path.io.documents import Producer
from her2path.io.label_checks import contradicting
from her2path.io.labels import read_labels
from her2path.training.manifest_items import ReadItem, relative_to
from her2path.training.splits import Shares, split_patients

_MIN_IMAGES = 2
_SAME_MPP = 0.02
"""Difference of two statements of a pixel size that means nothing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a dataset is put together."""

    name: str
    seed: int
    shares: Shares = field(default_factory=Shares)
    renamed: Mapping[str, LabelClass] = field(default_factory=dict)
    earlier: DatasetDoc | None = None
    """Manifest whose patients keep their splits."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two rows that show the same tissue, by their places; `Duplicate` without names."""

    one: int
    other: int
    entry: Duplicate


def build_dataset(
    items: Sequence[ReadItem], wish: Wish, *, folder: Path, producer: Producer, inputs: Mapping[str, str]
) -> DatasetDoc:
    """Build a manifest that will lie in `folder`.

    Raises
    ------
    CaseSheetError
        A class that is learnt is in one image only, or the same tissue is under two patients or has two
        scores: all of these at once.
    """
    names = _item_ids(items)
    pairs = _duplicates(items, names)
    faults = [
        *_rare_classes(items),
        *_contradictions(items, pairs, wish.renamed),
        *_across_patients(items, pairs),
    ]
    groups = _patients_or_groups(items, pairs)
    fixed, stated_faults = _fixed(items, groups, wish)
    faults += stated_faults
    if faults:
        raise CaseSheetError(tuple(sorted(faults, key=lambda fault: fault.row)), WHAT)
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for item, group in zip(items, groups, strict=True):
        classes[group].update(item.labelled)
    fixed = _with_val(fixed, classes, wish)
    splits = split_patients(classes, fixed, shares=wish.shares, seed=wish.seed)
    entries = tuple(
        _entry(item, name, splits[group], folder)
        for item, name, group in zip(items, names, groups, strict=True)
    )
    return DatasetDoc(
        produced_by=producer,
        inputs=dict(inputs),
        name=wish.name,
        seed=wish.seed,
        renamed=dict(wish.renamed),
        items=entries,
        classes=_balance(entries),
        patients={split: len({i.patient_id for i in entries if i.split == split}) for split in SPLITS},
        duplicates=tuple(pair.entry for pair in pairs),
        warnings=tuple(_warnings(items, entries, pairs)),
    )


def _item_ids(items: Sequence[ReadItem]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for item in items:
        said = [item.image_sha256, item.labels_sha256, item.row.kind, item.row.score, item.row.mask_of]
        name = hashlib.sha256(repr([str(part) for part in said]).encode()).hexdigest()[:12]
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _entry(item: ReadItem, name: str, split: Split, folder: Path) -> DatasetItem:
    row = item.row
    return DatasetItem(
        item_id=name,
        kind=row.kind,
        image=relative_to(folder, row.image),
        image_sha256=item.image_sha256,
        labels=None if row.labels is None else relative_to(folder, row.labels),
        labels_sha256=item.labels_sha256,
        score=row.score,
        mpp=item.mpp,
        patient_id=row.patient_id,
        slide_id=row.slide_id,
        source=row.source,
        licence=row.licence,
        split=split,
        complete=item.complete,
        mask_of=row.mask_of,
        labelled=dict(item.labelled),
    )


def _duplicates(items: Sequence[ReadItem], names: Sequence[str]) -> list[_Pair]:
    """Find pictures of the same tissue; one image with labels of several kinds is none."""
    looks = find_lookalikes([item.print for item in items])
    found = {(look.one, look.other): look for look in looks}
    alike: defaultdict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        alike[item.pixels_sha256].append(place)
    pairs: dict[tuple[int, int], Duplicate] = {}
    for (one, other), look in found.items():
        pairs[one, other] = Duplicate(
            one=names[one],
            other=names[other],
            how="same_field",
            overlap=look.overlap or None,
            turned_deg=look.turned_deg,
            mirrored=look.mirrored,
        )
    for places in alike.values():
        for number, one in enumerate(places):
            for other in places[number + 1 :]:
                same_file = items[one].image_sha256 == items[other].image_sha256
                pairs[one, other] = Duplicate(
                    one=names[one], other=names[other], how="same_file" if same_file else "same_pixels"
                )
    return [
        _Pair(one, other, pairs[one, other])
        for one, other in sorted(pairs)
        if items[one].row.image.resolve() != items[other].row.image.resolve()
        or items[one].row.patient_id != items[other].row.patient_id
    ]


def _rare_classes(items: Sequence[ReadItem]) -> Iterable[SheetFault]:
    """Find classes that one image alone shows, among those that are learnt apart."""
    for name, places in _holders(items).items():
        kind = label_class(name)
        learnt = kind is None or kind.is_tumour
        images = {items[place].image_sha256 for place in places}
        if learnt and len(images) < _MIN_IMAGES:
            item = items[places[0]]
            what = f"{name!r} is the label of this image alone"
            remedy = "label it in images of two patients or more"
            if kind is not None:
                remedy += f", or leave it out with --classes ({name}: Ignore*)"
            yield _fault(item, "score" if item.row.labels is None else "labels", f"{what}; {remedy}")


def _holders(items: Sequence[ReadItem]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        for name in item.labelled:
            found[name].append(place)
    return dict(sorted(found.items()))


def _contradictions(
    items: Sequence[ReadItem], pairs: Sequence[_Pair], renamed: Mapping[str, LabelClass]
) -> Iterable[SheetFault]:
    for pair in pairs:
        one, other = items[pair.one], items[pair.other]
        scores = one.row.score, other.row.score
        if pair.entry.how != "same_field" and None not in scores and scores[0] != scores[1]:
            message = f"is scored {scores[1]}, but {_named(one)} is the same picture and scored {scores[0]}"
            yield _fault(other, "score", f"{message}; keep the right one")
        if pair.entry.how != "same_field" and one.row.kind == other.row.kind == "cells":
            drawn = [
                cell
                for item in (one, other)
                if item.row.labels is not None
                for cell in read_labels(item.row.labels, name=item.row.labels.name, renamed=renamed).cells
            ]
            if found := len(contradicting(drawn)):
                message = f"the same picture as {_named(one)}, but {counted(found, 'cell')} of another class"
                yield _fault(other, "labels", f"{message}; keep the right file")


def _across_patients(items: Sequence[ReadItem], pairs: Sequence[_Pair]) -> Iterable[SheetFault]:
    for pair in pairs:
        one, other = items[pair.one], items[pair.other]
        if one.row.patient_id == other.row.patient_id or (_unknown(one) and _unknown(other)):
            continue
        message = (
            f"{_shows(pair.entry)} {_named(one)}, which is of patient {one.row.patient_id!r}; what is learnt "
            "from one would be tested on the other: give both the same patient_id, or remove one"
        )
        yield _fault(other, "patient_id", message)


def _shows(entry: Duplicate) -> str:
    if entry.how == "same_file":
        return "is the same file as"
    if entry.how == "same_pixels":
        return "has the same pixels as"
    turned = f", turned by {entry.turned_deg:.0f}°" if abs(entry.turned_deg or 0) >= 1 else ""
    mirrored = ", mirrored" if entry.mirrored else ""
    return f"shows {100 * (entry.overlap or 0):.0f} % of the tissue{turned}{mirrored} of"


def _unknown(item: ReadItem) -> bool:
    return item.row.patient_id.startswith(UNKNOWN_PATIENT)


def _patients_or_groups(items: Sequence[ReadItem], pairs: Sequence[_Pair]) -> list[str]:
    """Name what must not be parted: a patient, or images of unknown patients that show the same tissue."""
    groups = {item.row.patient_id: item.row.patient_id for item in items}

    def root(name: str) -> str:
        while groups[name] != name:
            name = groups[name]
        return name

    for pair in pairs:
        ends = sorted(root(items[place].row.patient_id) for place in (pair.one, pair.other))
        if all(_unknown(items[place]) for place in (pair.one, pair.other)):
            groups[ends[1]] = ends[0]
    return [root(item.row.patient_id) for item in items]


def _fixed(
    items: Sequence[ReadItem], groups: Sequence[str], wish: Wish
) -> tuple[dict[str, Split], list[SheetFault]]:
    """Collect splits that are stated in the sheet or by an earlier manifest, and where they contradict."""
    before = {} if wish.earlier is None else {item.patient_id: item.split for item in wish.earlier.items}
    fixed: dict[str, Split] = {}
    said: dict[str, ReadItem] = {}
    faults = []
    for item, group in zip(items, groups, strict=True):
        earlier = before.get(item.row.patient_id)
        split = item.row.split or earlier
        if item.row.split and earlier and item.row.split != earlier:
            message = f"is {item.row.split}, but the earlier manifest has this patient in {earlier}"
            faults.append(_fault(item, "split", f"{message}; keep the one or leave the other out"))
        if split is None:
            continue
        first = said.setdefault(group, item)
        if fixed.setdefault(group, split) != split:
            message = f"is {split}, but {_named(first)} shows the same tissue and is {fixed[group]}"
            faults.append(_fault(item, "split", f"{message}; remove one of them, or give both one split"))
    return fixed, faults


def _with_val(
    fixed: dict[str, Split], classes: Mapping[str, AbstractSet[str]], wish: Wish
) -> dict[str, Split]:
    """Hold out some of the stated training patients for choosing the model, where none are stated for it.

    Published sets come as train and test; a fit that stops early needs patients of its own to stop by.
    """
    whole = classes.keys() == fixed.keys() and set(fixed.values()) == {"train", "test"}
    if not whole or not wish.shares.val:
        return fixed
    train = {group: classes[group] for group, split in fixed.items() if split == "train"}
    shares = replace(wish.shares, test=0.0)
    return fixed | split_patients(train, {}, shares=shares, seed=wish.seed)


def _balance(entries: Sequence[DatasetItem]) -> dict[Split, dict[str, int]]:
    found: dict[Split, Counter[str]] = {split: Counter() for split in SPLITS}
    for entry in entries:
        found[entry.split].update(entry.labelled)
    return {split: dict(sorted(counts.items())) for split, counts in found.items()}


def _warnings(
    items: Sequence[ReadItem], entries: Sequence[DatasetItem], pairs: Sequence[_Pair]
) -> Iterable[str]:
    if unknown := sum(_unknown(item) for item in items):
        yield (
            f"the patients of {counted(unknown, 'image')} are not known: images that overlap are kept "
            "together, but two fields of one patient may lie in different splits, so that figures on them "
            "are too good"
        )
    yield from _class_warnings(items, entries)
    if pairs:
        found = counted(len(pairs), "pair")
        yield f"images of one patient that show the same tissue, which so counts twice: {found}"
    if blank := sum(not item.print.has_structure for item in items):
        yield f"too little structure to be compared with others: {counted(blank, 'image')}"
    for item in items:
        if item.file_mpp is not None and abs(item.mpp / item.file_mpp - 1) > _SAME_MPP:
            yield f"{_named(item)}: the sheet's mpp {item.mpp:g} overrides the file's {item.file_mpp:g}"
    left_out: Counter[str] = Counter()
    for item in items:
        left_out.update(item.left_out)
    for what, n in sorted(left_out.items()):
        yield f"left out of the files of labels: {what} ({n})"


def _class_warnings(items: Sequence[ReadItem], entries: Sequence[DatasetItem]) -> Iterable[str]:
    filled = [split for split in SPLITS if any(entry.split == split for entry in entries)]
    for name, places in _holders(items).items():
        patients = {items[place].row.patient_id for place in places}
        if len(patients) == 1:
            yield f"{name} is labelled in one patient only: it cannot be both learnt and tested"
        elif missing := [s for s in filled if not any(name in e.labelled for e in entries if e.split == s)]:
            yield f"{name} does not occur in {' and '.join(missing)}"
    stated = all(item.row.split for item in items)
    remedy = "name images of it in the sheet" if stated else "more patients, or another --seed, would fill it"
    for split in SPLITS:
        if split not in filled:
            yield f"no image is in {split}; {remedy}"


def _named(item: ReadItem) -> str:
    """Name an image and its row."""
    row = f" (row {item.found.number})" if item.found.number else ""
    return f"{item.row.image.name!r}{row}"


def _fault(item: ReadItem, column: str, message: str) -> SheetFault:
    return SheetFault(item.found.number, column, message)
