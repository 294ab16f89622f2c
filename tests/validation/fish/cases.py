"""The phantom cases of the FISH validation: which tissue, which copies, whose microscope.

Seeds from 780 000 to 789 999 are used nowhere else: nothing was ever tuned or looked at on them.  With
``development`` the same cases come from seeds 200 000 lower, for work on the methods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from her2path.domain.ish import IshGroup, SignalSummary
from her2path.imaging.phantoms.fish import FishPhantomSpec, spec_for_group, true_fish

VALIDATION_SEEDS = 780_000
DEVELOPMENT_SEEDS = 580_000
ENOUGH_NUCLEI = 40
"""A case has fields until this many nuclei can be scored, two at least and four at most."""
FIELDS = (2, 4)
RATIO_CUT, COPY_CUTS = 2.0, (4.0, 6.0)
NEAR_RATIO, NEAR_COPIES = 0.1, 0.3

PROFILES: Mapping[str, FishPhantomSpec] = MappingProxyType(
    {
        "as delivered": FishPhantomSpec(),
        "0.10 µm/px": FishPhantomSpec(mpp=0.1, width_px=1280, height_px=1280),
        "0.25 µm/px": FishPhantomSpec(mpp=0.25, width_px=512, height_px=512),
        "5 focal planes": FishPhantomSpec(z_planes=5),
        "blur x 1.3": FishPhantomSpec(blur=1.3),
        "background x 2, noise x 2": FishPhantomSpec(background=2.0, noise=2.0),
        "half the signal": FishPhantomSpec(signal_level=0.5),
        "3500 nuclei/mm²": FishPhantomSpec(nuclei_per_mm2=3500),
    }
)
"""Everything but the copy numbers."""


@dataclass(frozen=True, slots=True)
class FishCase:
    """One specimen: some fields of the same tissue."""

    name: str
    profile: str
    fields: tuple[FishPhantomSpec, ...]
    truth: SignalSummary
    """Resolvable signals of the nuclei that a reader would score, all fields together."""

    @property
    def borderline(self) -> bool:
        """Whether the truth lies close to a cut that decides its group."""
        return is_borderline(self.truth)


def is_borderline(truth: SignalSummary) -> bool:
    """Within 0.1 of ratio 2.0, or within 0.3 copies of a cut that matters at this ratio.

    4 copies decide at every ratio, 6 only below 2.0.
    """
    ratio, mean = truth.her2_cep17_ratio, truth.her2_mean
    if ratio is None or mean is None:
        return False
    cuts = COPY_CUTS if ratio < RATIO_CUT else COPY_CUTS[:1]
    return abs(ratio - RATIO_CUT) <= NEAR_RATIO or any(abs(mean - cut) <= NEAR_COPIES for cut in cuts)


def make_case(name: str, profile: str, spec: FishPhantomSpec) -> FishCase:
    """Take fields of counting seeds until the case has enough nuclei."""
    fields: list[FishPhantomSpec] = []
    truth: SignalSummary | None = None
    for number in range(FIELDS[1]):
        one = replace(spec, seed=spec.seed + number)
        found = true_fish(one).summary
        truth = found if truth is None else truth + found
        fields.append(one)
        if len(fields) >= FIELDS[0] and truth.nuclei >= ENOUGH_NUCLEI:
            break
    if truth is None:
        raise ValueError("a case has at least one field")
    return FishCase(name, profile, tuple(fields), truth)


def first_seed(*, development: bool) -> int:
    """Seed of the first case."""
    return DEVELOPMENT_SEEDS if development else VALIDATION_SEEDS


def cases(*, development: bool) -> Iterator[FishCase]:
    """Every profile with the five ISH groups."""
    first = first_seed(development=development)
    number = 0
    for profile, base in PROFILES.items():
        for group in IshGroup:
            spec = spec_for_group(group, replace(base, seed=first + 10 * number))
            yield make_case(f"{number} {profile}, group {group.value}", profile, spec)
            number += 1


def some(found: list[FishCase], count: int | None) -> list[FishCase]:
    """Every so many cases, so that all profiles are among them; all where `count` is None."""
    if count is None or count >= len(found):
        return found
    return [found[round(place * len(found) / count)] for place in range(count)]
