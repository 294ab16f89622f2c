"""ISH evidence: signals counted in nuclei, as integers, compared without rounding.

The ratio of a specimen is the sum of HER2 signals over the sum of CEP17 signals of the same
nuclei, never the mean of the nuclei's ratios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from her2path.domain.case import Controls


class Probe(StrEnum):
    """Whether the assay counts HER2 alone or HER2 beside the centromere of chromosome 17."""

    DUAL = "dual"
    SINGLE = "single"


class IshGroup(StrEnum):
    """Result groups of a dual-probe assay (Wolff 2018)."""

    GROUP_1 = "1"
    GROUP_2 = "2"
    GROUP_3 = "3"
    GROUP_4 = "4"
    GROUP_5 = "5"


@dataclass(frozen=True, slots=True)
class NucleusSignals:
    """Signals counted in one evaluable nucleus; `cep17` is None for a single-probe assay."""

    her2: int
    cep17: int | None

    def __post_init__(self) -> None:
        if self.her2 < 0 or (self.cep17 is not None and self.cep17 < 0):
            raise ValueError(f"signal counts must be >= 0, got {self}")


@dataclass(frozen=True, slots=True)
class SignalSummary:
    """Totals over the counted nuclei of one specimen and one observer."""

    nuclei: int
    her2: int
    cep17: int | None
    """Total CEP17 signals; None for a single-probe assay."""

    def __post_init__(self) -> None:
        for name, value in (("nuclei", self.nuclei), ("her2", self.her2), ("cep17", self.cep17)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
        if self.nuclei == 0 and (self.her2 or self.cep17):
            raise ValueError("signals without a nucleus")

    @classmethod
    def of(cls, nuclei: Iterable[NucleusSignals], *, probe: Probe = Probe.DUAL) -> SignalSummary:
        """Sum single nuclei; with a dual probe each of them must carry a CEP17 count."""
        counted = list(nuclei)
        if probe is Probe.SINGLE:
            return cls(len(counted), sum(n.her2 for n in counted), None)
        cep17 = [n.cep17 for n in counted if n.cep17 is not None]
        if len(cep17) != len(counted):
            raise ValueError("a dual-probe count needs CEP17 in every nucleus")
        return cls(len(counted), sum(n.her2 for n in counted), sum(cep17))

    def __add__(self, other: SignalSummary) -> SignalSummary:
        if (self.cep17 is None) != (other.cep17 is None):
            raise ValueError("single-probe and dual-probe counts cannot be summed")
        cep17 = None if self.cep17 is None or other.cep17 is None else self.cep17 + other.cep17
        return SignalSummary(self.nuclei + other.nuclei, self.her2 + other.her2, cep17)

    @property
    def probe(self) -> Probe:
        """Which assay this is."""
        return Probe.SINGLE if self.cep17 is None else Probe.DUAL

    @property
    def her2_cep17_ratio(self) -> float | None:
        """Ratio for printing, never for a comparison; None where it is not defined."""
        return self.her2 / self.cep17 if self.cep17 else None

    @property
    def her2_mean(self) -> float | None:
        """Mean HER2 signals per nucleus for printing; None without nuclei."""
        return self.her2 / self.nuclei if self.nuclei else None

    @property
    def cep17_mean(self) -> float | None:
        """Mean CEP17 signals per nucleus for printing; None without nuclei or probe."""
        return None if self.cep17 is None or not self.nuclei else self.cep17 / self.nuclei


@dataclass(frozen=True, slots=True)
class IshReading:
    """What a guideline reads of one observer's count; None = not stated or not measured."""

    summary: SignalSummary
    areas: int | None = None
    """Number of tumour areas counted."""
    weak_signals: int | None = None
    """Signals seen but too weak to be counted; not among those of `summary`."""
    weak_among: int | None = None
    """All signals that were looked at for weak ones; None = those of `summary` and the weak ones."""
    cytoplasmic_signals: int | None = None
    """Signals outside nuclei; not among those of `summary`."""
    cytoplasmic_among: int | None = None
    """All signals in and around the nuclei that were looked at; None = those of `summary` and the
    cytoplasmic ones."""
    controls: Controls = Controls.UNKNOWN
    share_ratio_at_least_2: Fraction | None = None
    """Share (0 to 1) of the nuclei whose own ratio is at least 2.0."""
    poor_nuclei: bool | None = None
    """Whether nuclei cannot be resolved."""
    autofluorescence: bool | None = None
    """Whether strong autofluorescence hides signals."""
    other_observer: bool | None = None
    """Of a recount: whether somebody else than the first observer counted."""
    blinded: bool | None = None
    """Of a recount: whether its observer did not know the first result."""

    def __post_init__(self) -> None:
        for name in ("areas", "weak_signals", "cytoplasmic_signals", "weak_among", "cytoplasmic_among"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
        for part, among in (
            (self.weak_signals, self.weak_among),
            (self.cytoplasmic_signals, self.cytoplasmic_among),
        ):
            if among is not None and (part is None or part > among):
                raise ValueError(f"{part} signals are no part of {among}")
        share = self.share_ratio_at_least_2
        if share is not None and not 0 <= share <= 1:
            raise ValueError(f"the share of nuclei with a ratio of 2.0 or more is 0 to 1, got {share}")

    @property
    def counted_signals(self) -> int:
        """All signals that were counted, of either colour."""
        return self.summary.her2 + (self.summary.cep17 or 0)

    @property
    def weak_share(self) -> Fraction | None:
        """Share (0 to 1) of the signals that is too weak to be counted; None = not stated, or no signal."""
        return _share(self.weak_signals, self.weak_among, self.counted_signals)

    @property
    def cytoplasmic_share(self) -> Fraction | None:
        """Share (0 to 1) of the signals that lies outside nuclei; None = not stated, or no signal."""
        return _share(self.cytoplasmic_signals, self.cytoplasmic_among, self.counted_signals)


def _share(part: int | None, among: int | None, beside: int) -> Fraction | None:
    if part is None:
        return None
    whole = beside + part if among is None else among
    return Fraction(part, whole) if whole else None


def share_with_ratio(nuclei: Iterable[NucleusSignals], holds: Callable[[int, int], bool]) -> Fraction | None:
    """Share of the nuclei whose own counts fulfil a condition on HER2 and CEP17.

    A nucleus without CEP17 signal has no ratio and is left out of the share; None where no
    nucleus has one.

    Examples
    --------
    >>> share_with_ratio([NucleusSignals(4, 2), NucleusSignals(3, 2)], lambda her2, cep17: her2 >= 2 * cep17)
    Fraction(1, 2)
    """
    pairs = [(n.her2, n.cep17) for n in nuclei if n.cep17]
    return Fraction(sum(holds(*pair) for pair in pairs), len(pairs)) if pairs else None


def ratio_is_at_least_2(her2: int, cep17: int) -> bool:
    """Whether a nucleus counts as amplified where a guideline asks for a share of the nuclei."""
    return her2 >= 2 * cep17
