"""A statistic with its interval, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

CONFIDENCE = 0.95
"""Of an interval, where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was estimated from a sample, with the interval and the method it comes from.

    Three cases: a value with both bounds; a value without bounds (`why` says why there is no interval);
    no value at all (`why` says why).

    Examples
    --------
    >>> Estimate(0.9, 0.77, 0.96, "Wilson", n=40).value
    0.9
    >>> Estimate.none("all cases are in one category", "Cohen's kappa", n=12).why
    'all cases are in one category'
    """

    value: float | None
    """None where it is not defined; never NaN."""
    low: float | None
    high: float | None
    """Bounds of the interval; both None where there is none."""
    method: str
    """Of the interval, such as ``Wilson``; of the statistic where there is no interval."""
    confidence: float = CONFIDENCE
    n: int = 0
    """Cases (or pairs of reads) that it rests on."""
    why: str = ""
    """Why there is no value or no interval; empty where there are both."""

    def __post_init__(self) -> None:
        numbers = [number for number in (self.value, self.low, self.high) if number is not None]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"an estimate holds finite numbers or none, got {self}")
        if (self.low is None) != (self.high is None) or (self.value is None and self.low is not None):
            raise ValueError(f"an interval has two bounds and belongs to a value, got {self}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the lower bound lies above the upper one in {self}")
        if not self.method or not 0 < self.confidence < 1 or self.n < 0:
            raise ValueError(f"need a method, a confidence between 0 and 1 and n >= 0, got {self}")
        if (self.low is None) != bool(self.why):
            raise ValueError(f"say why there is no interval, and only then, in {self}")

    @classmethod
    def none(cls, why: str, method: str, *, n: int = 0, confidence: float = CONFIDENCE) -> Estimate:
        """State that there is no value, and why."""
        return cls(None, None, None, method, confidence, n, why)

    @classmethod
    def point(
        cls, value: float, why: str, method: str, *, n: int = 0, confidence: float = CONFIDENCE
    ) -> Estimate:
        """State a value without an interval, and why there is none."""
        return cls(value, None, None, method, confidence, n, why)

    @property
    def has_interval(self) -> bool:
        """Whether bounds are stated."""
        return self.low is not None
