"""The validation: ``python -m tests.validation`` with ``ihc``, ``fish``, ``qa``, ``retraining`` or
``exchange``, or ``make validate-ihc`` and so on.

Results go to ``results/validation/<what>/``, a file for each part, so that a part or a method can be
run again alone; the tables of ``docs/validation/<what>.md`` are written from these files.  With
``--dev`` the phantoms come from development seeds, the results go elsewhere, and the page is left alone.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from tests.validation import page
from tests.validation.store import ROOT, kept

SUBJECTS = ("ihc", "fish", "qa", "retraining", "exchange")


def main() -> None:
    """Run the parts that were asked for and write the page."""
    asked = _arguments()
    # Only the subject's own modules are loaded: the other one's may need what is not installed here.
    subject = importlib.import_module(f"tests.validation.{asked.what}.parts")
    usual = subject.QUICK if asked.quick else subject.PARTS
    parts = asked.only or [name for name in usual if name not in subject.ON_DEMAND]
    if unknown := sorted(set(parts) - set(subject.PARTS)):
        raise SystemExit(f"no such part: {', '.join(unknown)}; there are {', '.join(subject.PARTS)}")
    for name in () if asked.page else parts:
        started = time.perf_counter()
        sys.stdout.write(f"{name}\n")
        subject.PARTS[name](asked)
        sys.stdout.write(f"  {time.perf_counter() - started:.0f} s\n")
    if not (asked.dev or asked.quick):
        tables = importlib.import_module(f"tests.validation.{asked.what}.tables")
        page.write(tables.PAGE, tables.tables(kept(asked.out)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("what", choices=SUBJECTS)
    parser.add_argument("--dev", action="store_true", help="development seeds: for work on the methods")
    parser.add_argument("--quick", action="store_true", help="some images and parts only, 5 minutes")
    parser.add_argument(
        "--fast", action="store_true", help="fish: count by `count_nuclei`, without the step `fish_counts`"
    )
    parser.add_argument("--only", nargs="+", metavar="PART", default=[], help="parts to run")
    parser.add_argument("--page", action="store_true", help="run nothing, write the page from the results")
    parser.add_argument("--model", action="append", default=[], help="id of a learned model (again for more)")
    parser.add_argument("--model-only", action="store_true", help="leave the classical path out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=None, help="folder of the results")
    asked = parser.parse_args()
    if asked.out is None:
        kind = "_dev" if asked.dev else "_quick" if asked.quick else ""
        asked.out = ROOT / "results" / "validation" / f"{asked.what}{kind}"
    return asked


if __name__ == "__main__":
    main()
