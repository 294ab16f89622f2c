"""The validation of the IHC path: ``python -m tests.validation ihc`` or ``make validate-ihc``.

Results go to ``results/validation/ihc/``, a file for each part, so that a part or a method can be
run again alone; the tables of ``docs/validation/ihc.md`` are written from these files.  With
``--dev`` the phantoms come from development seeds, the results go elsewhere, and the page is left alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from tests.validation import cost, invariance, nulls, page, real_cores, rerendering
from tests.validation.comparators import stardist_speed
from tests.validation.comparators.deconvolution_watershed import DeconvolutionWatershed
from tests.validation.comparators.fixed_expansion import FixedExpansion
from tests.validation.measures import Measure, phantom_rows
from tests.validation.phantom_run import read_slides
from tests.validation.reading import Her2Path, Method
from tests.validation.slides import ValidationSlide, borderline_slides, cytoplasm_slides, scored_slides
from tests.validation.store import ROOT, keep

Asked = argparse.Namespace


def _methods(asked: Asked) -> list[Her2Path]:
    classical = [] if asked.model_only else [Her2Path()]
    return [*classical, *(Her2Path(model) for model in asked.model)]


def _slides(asked: Asked, *, quick: bool) -> list[ValidationSlide]:
    return [
        *scored_slides(development=asked.dev, per_style=4 if quick else None),
        *borderline_slides(development=asked.dev, styles=1 if quick else None),
        *cytoplasm_slides(development=asked.dev, count=4 if quick else None),
    ]


def _phantoms(asked: Asked) -> None:
    """Plain phantom slides; a part of them is read by the comparators, too."""
    methods = _methods(asked)
    others: list[Method] = (
        [] if asked.quick or asked.model_only else [DeconvolutionWatershed(), FixedExpansion()]
    )
    shared = {slide.name for slide in _slides(asked, quick=True) if slide.group != "cytoplasm"}
    jobs = [
        (slide, [*methods, *(others if slide.name in shared else [])])
        for slide in _slides(asked, quick=asked.quick)
    ]
    found = read_slides(jobs, processes=asked.processes)
    for method in (*methods, *others):
        own = [slide for slide in found if slide.method == method.name]
        extra = {"slides": [slide.as_json() for slide in own]}
        keep(asked.out, "phantoms", method.name, _all_told(phantom_rows(own)), extra)


def _architectures(asked: Asked) -> None:
    keep(asked.out, "architectures", "StarDist's architecture", _all_told([stardist_speed.seconds_per_mm2()]))


def _rerendering(asked: Asked) -> None:
    chosen = rerendering.slides(development=asked.dev, count=3 if asked.quick else None)
    found = rerendering.read_all(chosen, _methods(asked), processes=asked.processes)
    for method in _methods(asked):
        own = [item for item in found if item["method"] == method.name]
        keep(asked.out, "rerendering", method.name, _all_told(rerendering.rows(own)), {"variants": own})


def _nulls(asked: Asked) -> None:
    chosen = nulls.slides(development=asked.dev, count=6 if asked.quick else None)
    found = nulls.read_all(chosen, _methods(asked), processes=asked.processes)
    for method in _methods(asked):
        own = [item for item in found if item["method"] == method.name]
        keep(asked.out, "nulls", method.name, _all_told(nulls.rows(own)), {"slides": own})


def _invariance(asked: Asked) -> None:
    chosen = invariance.slides(development=asked.dev, count=1 if asked.quick else None)
    for method in _methods(asked):
        keep(asked.out, "invariance", method.name, _all_told(invariance.rows(chosen, method)))


def _cores(asked: Asked) -> None:
    for method in _methods(asked):
        found = real_cores.read_cores(method, asked.out / f"cores-{method.name}")
        if not found:
            sys.stdout.write("real cores: not here (HER2PATH_REAL_DATA), so not read\n")
            return
        rows = _all_told(real_cores.rows(found))
        keep(asked.out, "cores", method.name, rows, {"cores": [asdict(core) for core in found]})


def _speed(asked: Asked) -> None:
    for method in _methods(asked):
        rows, extra = cost.mosaic_rows(method)
        keep(asked.out, "speed", method.name, _all_told(rows), extra)


def _large(asked: Asked) -> None:
    for method in _methods(asked):
        rows, extra = cost.large_rows(method, full=False)
        keep(asked.out, "large", method.name, _all_told(rows), extra)


def _large_full(asked: Asked) -> None:
    for method in _methods(asked):
        rows, extra = cost.large_rows(method, full=True)
        keep(asked.out, "large_full", method.name, _all_told(rows), extra)


PARTS: Mapping[str, Callable[[Asked], None]] = MappingProxyType(
    {
        "phantoms": _phantoms,
        "architectures": _architectures,
        "rerendering": _rerendering,
        "nulls": _nulls,
        "invariance": _invariance,
        "cores": _cores,
        "speed": _speed,
        "large": _large,
        "large_full": _large_full,
    }
)
QUICK = ("phantoms", "rerendering", "nulls", "invariance")
ON_DEMAND = frozenset({"large_full"})
"""Takes long and several GB of disk; its last result stays on the page."""


def _told(row: Measure) -> Measure:
    verdict = {True: "reached", False: "MISSED", None: ""}[row.passed]
    interval = "" if row.low is None else f" ({row.low:.3g} to {row.high:.3g})"
    sys.stdout.write(f"  {row.name}: {row.value:.3g}{interval} {row.unit} {verdict}  {row.detail}\n")
    sys.stdout.flush()
    return row


def _all_told(rows: list[Measure]) -> list[Measure]:
    return [_told(row) for row in rows]


def main() -> None:
    """Run the parts that were asked for and write the page."""
    asked = _arguments()
    parts = asked.only or [name for name in (QUICK if asked.quick else PARTS) if name not in ON_DEMAND]
    for name in () if asked.page else parts:
        started = time.perf_counter()
        sys.stdout.write(f"{name}\n")
        PARTS[name](asked)
        sys.stdout.write(f"  {time.perf_counter() - started:.0f} s\n")
    if not (asked.dev or asked.quick):
        page.write(asked.out)


def _arguments() -> Asked:
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("what", choices=["ihc"])
    parser.add_argument("--dev", action="store_true", help="development seeds: for work on the methods")
    parser.add_argument("--quick", action="store_true", help="some slides and parts only, 5 minutes")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=[], help="parts to run")
    parser.add_argument("--page", action="store_true", help="run nothing, write the page from the results")
    parser.add_argument("--model", action="append", default=[], help="id of a learned model (again for more)")
    parser.add_argument("--model-only", action="store_true", help="leave the classical path out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=None, help="folder of the results")
    asked = parser.parse_args()
    if asked.out is None:
        kind = "ihc_dev" if asked.dev else "ihc_quick" if asked.quick else "ihc"
        asked.out = ROOT / "results" / "validation" / kind
    return asked


if __name__ == "__main__":
    main()
