"""A calibration written beside the cells that were graded with it, so that their score uses the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from her2path.imaging.ihc.calibration import Calibration

_ID, _VALUES = "calibration", "calibration_values"


def calibration_facts(calibration: Calibration) -> dict[str, str]:
    """Write a calibration as facts of the table of cells.

    Examples
    --------
    >>> calibration_of(calibration_facts(Calibration(limit_of_blank_pct=0.5))).limit_of_blank_pct
    0.5
    """
    values = asdict(calibration)
    return {_ID: values.pop("id"), _VALUES: json.dumps(values, sort_keys=True)}


def calibration_of(facts: Mapping[str, str]) -> Calibration:
    """Read the calibration of a table of cells.

    Raises
    ------
    ValueError
        The facts name a calibration that this version does not know and state no values of it, or
        state others than this version has.
    """
    name = facts.get(_ID)
    own = Calibration()
    if _VALUES not in facts:
        if name == own.id:
            return own
        raise ValueError(f"was graded with calibration {name!r}, expected {own.id!r} or one with its values")
    try:
        return Calibration(id=str(name), **json.loads(facts[_VALUES]))
    except (TypeError, ValueError) as error:
        raise ValueError(f"states values of calibration {name!r} that cannot be read ({error})") from error
