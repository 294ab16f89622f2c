"""Reads PDFs the way tests ask about them, with poppler's own tools."""

from __future__ import annotations

import re
import subprocess
import zlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from her2path.io.documents import CallDoc

# Fonts draw the narrow space within a number as a plain one, and so it is selected.
_NUMBER = re.compile(
    r"(?<![\w.])[-−]?\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\w.])|(?<![\w.])[-−]?\d+(?:\.\d+)?(?!\w)"
)


def told(command: str, pdf: Path, *options: str) -> str:
    """Run a tool of poppler on a file and give what it prints."""
    output = subprocess.run(
        [command, *options, str(pdf), *(["-"] if command == "pdftotext" else [])],
        capture_output=True,
        check=True,
    )
    return output.stdout.decode()


def text_of(pdf: Path) -> str:
    """Give the words as a reader selects them, on one line."""
    return on_one_line(told("pdftotext", pdf, "-layout"))


def objects_of(pdf: Path) -> bytes:
    """Give the file with its compressed objects (not its streams) written out, to be searched."""
    raw = pdf.read_bytes()
    packed = re.findall(rb"/ObjStm[^>]*>>\s*stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL)
    assert packed
    return raw + b"".join(zlib.decompress(one) for one in packed)


def on_one_line(text: str) -> str:
    """Join lines; columns of a table stay apart by two spaces."""
    return re.sub(r"[ \n\f]{2,}", "  ", text)


def numbers_in(text: str) -> dict[str, Fraction]:
    """Find every printed number of a text, as it is printed."""
    found = {match[0] for match in _NUMBER.finditer(text)}
    return {printed: _value(printed) for printed in found}


def _value(printed: str) -> Fraction:
    return Fraction(re.sub("[ \u00a0\u202f]", "", printed.replace("−", "-")))


def is_printed(value: float, printed: dict[str, Fraction]) -> bool:
    """Whether one of the printed numbers is `value` rounded to the decimals that it shows."""
    exact = Fraction(value)
    return any(
        abs(number - exact) <= Fraction(1, 2 * 10 ** len(text.partition(".")[2]))
        # A measured number needs its decimals: 42 would be printed for any of 41.6 to 42.4.
        and ("." in text or exact.denominator == 1)
        for text, number in printed.items()
    )


def numbers_of(call: CallDoc) -> dict[str, float]:
    """Find every number that a call holds of its tests, by where it stands."""
    parts: dict[str, Mapping[str, object]] = {"ihc": call.ihc, "ish": call.ish, "recount": call.recount}
    parts |= {f"rule {n} {entry.rule_id}": entry.numbers for n, entry in enumerate(call.rule_trail)}
    parts |= {
        f"distance {n} {one.quantity}": {"value": one.value, "cut": one.cut, "distance": one.distance}
        for n, one in enumerate(call.distance_to_cut)
    }
    counted = {"nuclei", "her2_signals", "cep17_signals"}
    parts |= {f"check {n}": check.model_dump(include=counted) for n, check in enumerate(call.checks)}
    for one in call.populations:
        parts[one.population] = one.ish
        parts |= {f"{one.population} {entry.rule_id}": entry.numbers for entry in one.rule_trail}
    return {
        f"{part}: {name}": value
        for part, numbers in parts.items()
        for name, value in numbers.items()
        if isinstance(value, int | float)
    }
