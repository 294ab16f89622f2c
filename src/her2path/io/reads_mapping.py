"""The mapping file: how an export of another system names what `reads.tsv` calls otherwise.

A YAML file.  It renames columns, readers and words; it never changes a number.  What it does not name
keeps its meaning, and a column that neither the mapping nor `reads.tsv` knows is refused unless it is
listed under `ignore`, so that a misspelt column is never silently left out.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.reads import NOT_EVALUABLE
from her2path.domain.verdict import State
from her2path.errors import ConfigError
from her2path.io.spreadsheet_text import plain
from her2path.io.yaml_text import parse_yaml

CASE_ID, READER, SESSION, DATE, SCORE = "case_id", "reader", "session", "date", "ihc_score"
HER2, CEP17, NUCLEI, CALL, COMMENT = "her2_signals", "cep17_signals", "nuclei", "call", "comment"
PERCENTAGES = {f"pct_{name}": name for name in StainingClass}
READ_COLUMNS = (
    *(CASE_ID, READER, SESSION, DATE, SCORE),
    *PERCENTAGES,
    *(HER2, CEP17, NUCLEI, CALL, COMMENT),
)
"""Columns of `reads.tsv`."""
STRATA = ("site", "scanner", "clone", "batch", "specimen")
STRATA_COLUMNS = (CASE_ID, *STRATA, DATE)
"""Columns of `strata.tsv`."""
RUN_ID, CONTROL, CASE_IDS = "run_id", "control", "case_ids"
DAB_OD, PCT_STAINED, RUN_SCORE = "dab_od", "pct_stained", "score"
RUN_STRATA = ("scanner", "clone", "batch")
RUNS_COLUMNS = (RUN_ID, DATE, *RUN_STRATA, CONTROL, DAB_OD, PCT_STAINED, RUN_SCORE, CASE_IDS, COMMENT)
"""Columns of `runs.tsv`."""
CALLS = (*map(str, State), NOT_EVALUABLE)
"""Words that a call may be."""
IGNORE_ALL = "*"
_NOT_READ = ("na", "n/a", "nd")
"""Words that mean an empty cell everywhere; a hyphen does not, since it may mean negative."""


_SCORE = re.compile(r"(?:(?:ihc|her2|her-2|her2/neu|score)[ :=]*)*([0-3])(?:[.,]0+)? ?\+?")
_PLUSES = re.compile(r"\+{1,3}")


def is_score(word: str) -> bool:
    """Whether a word, spelt small, is a way of writing a score, `0+` among them."""
    return (_PLUSES.fullmatch(word) or _SCORE.fullmatch(word)) is not None


def score_of(word: str) -> str | None:
    """Read a word, spelt small, as a score; None where it is none.

    Examples
    --------
    >>> score_of("ihc 2+"), score_of("++"), score_of("2.5"), score_of("0+")
    ('2+', '2+', None, None)
    """
    if _PLUSES.fullmatch(word):
        return f"{len(word)}+"
    found = _SCORE.fullmatch(word)
    # A zero with a plus is written both for ultralow and for 0 by people who disagree on it.
    if found is None or (found[1] == "0" and word.endswith("+")):
        return None
    return "0" if found[1] == "0" else f"{found[1]}+"


class ReadsMapping(BaseModel):
    """What a mapping file may hold; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    columns: dict[str, str] = {}
    """Column of `reads.tsv`: its name in the export."""
    strata_columns: dict[str, str] = {}
    """Column of `strata.tsv`: its name in the export."""
    runs_columns: dict[str, str] = {}
    """Column of `runs.tsv`: its name in the export."""
    ignore: tuple[str, ...] | Literal["*"] = ()
    """Columns of the export that are not read; `*` = all that are not named."""
    scores: dict[str, IhcScore] = {}
    """Word of the export: score."""
    calls: dict[str, str] = {}
    """Word of the export: call."""
    readers: dict[str, str] = {}
    """Name in the export: pseudonym.  No name reaches a result."""
    not_read: tuple[str, ...] = ()
    """Words that mean that nothing was read, like an empty cell."""
    date_order: Literal["day_month_year", "month_day_year"] | None = None
    """Order of dates with slashes, which nobody can tell otherwise."""
    reader: str | None = None
    """Reader of all rows, where the export has no such column."""
    session: Annotated[int, Ge(1)] | None = None
    """Session of all rows, where the export has no such column."""

    @field_validator("columns", "strata_columns", "runs_columns")
    @classmethod
    def _distinct(cls, value: dict[str, str]) -> dict[str, str]:
        if twice := [name for name, n in Counter(map(plain, value.values())).items() if n > 1]:
            raise ValueError(f"{twice[0]!r} is given for two columns")
        return value

    @field_validator("calls")
    @classmethod
    def _known_calls(cls, value: dict[str, str]) -> dict[str, str]:
        if odd := sorted(set(value.values()) - set(CALLS)):
            raise ValueError(f"{odd[0]!r} is no call; known are {', '.join(CALLS)}")
        return value

    @model_validator(mode="after")
    def _nothing_is_no_score(self) -> ReadsMapping:
        named = self.words["scores"].keys() | self.words["calls"].keys() | set(map(str, State))
        for word in self.not_read:
            said = plain(word)
            if {said, said.replace(" ", "_")} & named or is_score(said):
                raise ValueError(f"not_read: {word!r} is a score or a call; rows that state it would be lost")
        return self

    @model_validator(mode="after")
    def _known_columns(self) -> ReadsMapping:
        given_known = (
            (self.columns, READ_COLUMNS),
            (self.strata_columns, STRATA_COLUMNS),
            (self.runs_columns, RUNS_COLUMNS),
        )
        for given, known in given_known:
            if odd := sorted(given.keys() - set(known)):
                raise ValueError(f"{odd[0]!r} is no column to map to; known are {', '.join(known)}")
        for name in ("reader", "session"):
            if getattr(self, name) is not None and name in self.columns:
                raise ValueError(f"{name} is given both for all rows and as a column")
        return self

    @cached_property
    def words(self) -> dict[str, dict[str, str]]:
        """Words of the export, spelt small, and what they mean: ``scores``, ``calls``, ``readers``."""
        return {
            kind: {plain(word): str(meaning) for word, meaning in getattr(self, kind).items()}
            for kind in ("scores", "calls", "readers")
        }

    @property
    def empty_words(self) -> frozenset[str]:
        """Words that mean an empty cell, spelt small."""
        return frozenset({*_NOT_READ, *map(plain, self.not_read)})

    def ignores(self, column: str) -> bool:
        """Whether a column of the export (spelt small) is left out on purpose."""
        return self.ignore == IGNORE_ALL or column in set(map(plain, self.ignore))


NO_MAPPING = ReadsMapping()


def read_mapping(path: Path) -> ReadsMapping:
    """Read and check a mapping file; ConfigError with every fault."""
    try:
        # Words: 0 is the score 0, and `no` a word of the export.
        data = parse_yaml(path.read_text(encoding="utf-8"), as_words=True)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"mapping {path.name} cannot be read: {error}",)) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError((f"mapping {path.name} must hold keys and values",))
    try:
        return ReadsMapping.model_validate(data or {})
    except ValidationError as error:
        raise ConfigError(tuple(_fault(path.name, item) for item in error.errors())) from error


def _fault(name: str, item: object) -> str:
    assert isinstance(item, dict)  # noqa: S101  (pydantic's own type of an error)
    place = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    known = ", ".join(ReadsMapping.model_fields)
    if item["type"] == "extra_forbidden":
        return f"mapping {name}, {place}: unknown key; known are {known}"
    return f"mapping {name}{', ' if place else ''}{place}: {message}"
