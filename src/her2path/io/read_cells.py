"""What the cells of a read mean: scores, percentages, counts, days and words, and what is wrong with them.

Nothing is rounded, repaired or guessed: ``2+``, ``IHC 2+`` and ``Score 2+`` are the same score, ``2.5``
and ``1-2+`` are none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from her2path.errors import SheetFault
from her2path.io.reads_mapping import CALLS, ReadsMapping, score_of
from her2path.io.spreadsheet_text import day_of, has_control_character, plain

MOST_NUCLEI = 10_000
"""Most nuclei that one read of a case is taken to have counted."""
MOST_MEAN_SIGNALS = 100
"""Most signals of one colour per nucleus, on average."""
FIRST_DAY = date(1990, 1, 1)
"""HER2 was not stained for patients before; an earlier day is a misspelt one."""
_MOST_COMMENT, _MOST_LETTERS = 500, 64
_INTEGER = re.compile(r"([0-9]{1,9})(?:[.,]0+)?")
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,10})?) ?%?")
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(slots=True)
class ReadCells:
    """The cells of one row and the faults found in them."""

    line: int
    texts: Mapping[str, str]
    """By column of `reads.tsv`; stripped; cells without a reading are left out."""
    mapping: ReadsMapping
    today: date
    faults: list[SheetFault] = field(default_factory=list)

    def fault(self, column: str, message: str) -> None:
        """Note a fault."""
        self.faults.append(SheetFault(self.line, column, message))

    def refuse_surplus(self) -> None:
        """Note a fault where the row has more cells than the table has columns."""
        if surplus := self.texts.get(""):
            quote = " (a quote that does not end on its line?)" if '"' in surplus else ""
            self.fault("", f"has more cells than the table has columns ({surplus[:60]!r}){quote}")

    def score(self, column: str) -> str | None:
        """Read an IHC score; None where it is empty or faulty."""
        text = self.texts.get(column)
        if text is None:
            return None
        word, known = plain(text), self.mapping.words["scores"]
        if word in known:
            return known[word]
        score = score_of(word)
        if score is None:
            self.fault(
                column, f"{_shown(text)} is no score; write 0, 1+, 2+ or 3+, or name the word in a mapping"
            )
        return score

    def percentage(self, column: str) -> Decimal | None:
        """Read a percentage, 0 to 100, with a point or a comma; None where it is empty or faulty."""
        text = self.texts.get(column)
        if text is None:
            return None
        found = _PERCENTAGE.fullmatch(text)
        value = None if found is None else Decimal(found[1].replace(",", "."))
        if value is None or value > 100:
            self.fault(column, f"{_shown(text)} is no percentage; write a number from 0 to 100")
            return None
        return value

    def count(self, column: str, *, least: int, most: int) -> int | None:
        """Read a whole number within a range; None where it is empty or faulty."""
        text = self.texts.get(column)
        if text is None:
            return None
        found = _INTEGER.fullmatch(text)
        if found is None:
            self.fault(column, f"{_shown(text)} is no whole number from {least} to {most}")
            return None
        number = int(found[1])
        if not least <= number <= most:
            self.fault(column, f"{number} is no whole number from {least} to {most}")
            return None
        return number

    def day(self, column: str) -> date | None:
        """Read a day that has come; None where it is empty or faulty."""
        text = self.texts.get(column)
        if text is None:
            return None
        found = self._day(_TIME.sub("", text))
        if found is None:
            slashed = _SLASHED.fullmatch(text) is not None and self.mapping.date_order is None
            remedy = ", or state `date_order` in a mapping" if slashed else ""
            self.fault(column, f"{_shown(text)} is no date; write it as YYYY-MM-DD{remedy}")
        elif found > self.today:
            self.fault(column, f"{found} lies in the future")
            return None
        elif found < FIRST_DAY:
            self.fault(column, f"{found} lies before {FIRST_DAY.year}; correct the year")
            return None
        return found

    def _day(self, text: str) -> date | None:
        order = self.mapping.date_order
        if order is None or (found := _SLASHED.fullmatch(text)) is None:
            return day_of(text)
        day, month = (found[1], found[2]) if order == "day_month_year" else (found[2], found[1])
        return day_of(f"{found[3]}-{month}-{day}")

    def call(self, column: str) -> str | None:
        """Read a call; None where it is empty or faulty."""
        text = self.texts.get(column)
        if text is None:
            return None
        said = plain(text)
        word = self.mapping.words["calls"].get(said, said.replace(" ", "_"))
        if word not in CALLS:
            known = ", ".join(CALLS)
            self.fault(column, f"{_shown(text)} is no call; known are {known}; name other words in a mapping")
            return None
        return word

    def label(self, column: str) -> str | None:
        """Read a short name, such as that of a scanner; None where it is empty or faulty."""
        text = self.texts.get(column)
        if text is not None and (len(text) > _MOST_LETTERS or has_control_character(text)):
            message = f"{text[:20]!r}... is no name; write {_MOST_LETTERS} letters at most, on one line"
            self.fault(column, message)
            return None
        return text

    def comment(self, column: str) -> str:
        """Read free text; empty where there is none, or it cannot be kept."""
        text = self.texts.get(column, "")
        if len(text) > _MOST_COMMENT:
            self.fault(column, f"is longer than {_MOST_COMMENT} characters; shorten it")
        elif has_control_character(text):
            self.fault(column, "holds a control character; retype it")
        else:
            return text
        return ""


def _shown(text: str) -> str:
    # A cell may hold a novel; what is wrong with it shows in its first words.
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
