"""Which patients are learnt from, which choose the model, and which test it.

A patient's place follows from the seed and the pseudonym alone, so that a patient who is added later
moves nobody.  Only where chance left a split without a class that has patients enough, or with more than
half as many patients again as it should hold, the nearest ones are moved; this happens in small datasets,
for which an earlier manifest can fix the places of all whom it holds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from her2path.io.dataset_documents import SPLITS, Split

_TOO_MANY = 1.5
_FEWEST: dict[Split, int] = {"train": 1, "val": 2, "test": 4}
"""Patients of a class from which a split must hold one: two of four remain to be learnt from."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the patients that are held out, 0 to 1; the rest is learnt from."""

    val: float = 0.15
    test: float = 0.15

    def split_of(self, place: float) -> Split:
        """Split of a patient by its place, 0 to 1.

        Examples
        --------
        >>> [Shares().split_of(place) for place in (0.1, 0.2, 0.3)]
        ['test', 'val', 'train']
        """
        if place < self.test:
            return "test"
        return "val" if place < self.test + self.val else "train"


def place_of(patient_id: str, *, seed: int) -> float:
    """Draw a place between 0 and 1 that depends on nothing but the seed and the pseudonym."""
    digest = hashlib.sha256(f"{seed}/{patient_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64


def split_patients(
    classes: Mapping[str, AbstractSet[str]], fixed: Mapping[str, Split], *, shares: Shares, seed: int
) -> dict[str, Split]:
    """Give every patient a split.

    Parameters
    ----------
    classes : mapping of str to set of str
        Classes that are labelled in the images of each patient.
    fixed : mapping of str to Split
        Patients whose split is stated.
    shares : Shares
    seed : int

    Returns
    -------
    dict of str to Split
        By patient, sorted.  A class of two patients or more is in `train` and `val`, one of four or more in
        `test` too, as far as stated splits and other classes allow.
    """
    places = {patient: place_of(patient, seed=seed) for patient in sorted(classes)}
    splits = {patient: fixed.get(patient) or shares.split_of(place) for patient, place in places.items()}
    _thin_out(splits, places, fixed, shares)
    ranked = sorted({name for found in classes.values() for name in found})
    ranked.sort(key=lambda name: sum(name in found for found in classes.values()))
    wanted: list[Split] = [split for split in SPLITS if split == "train" or getattr(shares, split) > 0]
    for place, split in enumerate(wanted):
        for name in ranked:
            holders = [patient for patient in places if name in classes[patient]]
            if len(holders) < _FEWEST[split] or any(splits[patient] == split for patient in holders):
                continue
            movable = [
                patient
                for patient in holders
                if patient not in fixed and _can_leave(patient, splits, classes, kept=wanted[:place])
            ]
            if movable:
                # Held-out places lie at the low end: the lowest is nearest to them, the highest to the rest.
                choose = max if split == "train" else min
                splits[choose(movable, key=places.__getitem__)] = split
    return splits


def _thin_out(
    splits: dict[str, Split], places: Mapping[str, float], fixed: Mapping[str, Split], shares: Shares
) -> None:
    """Let held-out splits that chance made far too large give patients back to the rest."""
    for split, share in (("test", shares.test), ("val", shares.val)):
        most = max(math.ceil(_TOO_MANY * share * len(splits)), 1)
        held = [patient for patient, found in splits.items() if found == split]
        free = sorted((p for p in held if p not in fixed), key=places.__getitem__, reverse=True)
        for patient in free[: max(len(held) - most, 0)]:
            splits[patient] = "train"


def _can_leave(
    patient: str,
    splits: Mapping[str, Split],
    classes: Mapping[str, AbstractSet[str]],
    *,
    kept: list[Split],
) -> bool:
    """Tell whether a patient's split keeps all its classes without the patient, if it is one of `kept`."""
    split = splits[patient]
    if split not in kept:
        return True
    others = [other for other, found in splits.items() if found == split and other != patient]
    return all(any(name in classes[other] for other in others) for name in classes[patient])
