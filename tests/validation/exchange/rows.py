"""What every part of the validation of reports and exchange gives: rows of `Measure`.

A part is a module of this package with ``def measure() -> list[Row]``; it makes its own data (or says on
which it was measured in ``on``), names a threshold only where one was asked for, and touches no file
outside a temporary folder.
"""

from __future__ import annotations

from tests.validation.measures import Measure as Row

__all__ = ["Row"]
