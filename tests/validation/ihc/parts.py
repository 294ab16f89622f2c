"""The parts of the IHC validation, which ``python -m tests.validation ihc`` runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType

from tests.validation.ihc import cost, invariance, nulls, real_cores, rerendering
from tests.validation.ihc.comparators import stardist_speed
from tests.validation.ihc.comparators.deconvolution_watershed import DeconvolutionWatershed
from tests.validation.ihc.comparators.fixed_expansion import FixedExpansion
from tests.validation.ihc.measures import phantom_rows
from tests.validation.ihc.phantom_run import read_slides
from tests.validation.ihc.reading import Her2Path, Method
from tests.validation.ihc.slides import ValidationSlide, borderline_slides, cytoplasm_slides, scored_slides
from tests.validation.store import all_told, keep

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
        keep(asked.out, "phantoms", method.name, all_told(phantom_rows(own)), extra)


def _architectures(asked: Asked) -> None:
    keep(asked.out, "architectures", "StarDist's architecture", all_told([stardist_speed.seconds_per_mm2()]))


def _rerendering(asked: Asked) -> None:
    chosen = rerendering.slides(development=asked.dev, count=3 if asked.quick else None)
    found = rerendering.read_all(chosen, _methods(asked), processes=asked.processes)
    for method in _methods(asked):
        own = [item for item in found if item["method"] == method.name]
        keep(asked.out, "rerendering", method.name, all_told(rerendering.rows(own)), {"variants": own})


def _nulls(asked: Asked) -> None:
    chosen = nulls.slides(development=asked.dev, count=6 if asked.quick else None)
    found = nulls.read_all(chosen, _methods(asked), processes=asked.processes)
    for method in _methods(asked):
        own = [item for item in found if item["method"] == method.name]
        keep(asked.out, "nulls", method.name, all_told(nulls.rows(own)), {"slides": own})


def _invariance(asked: Asked) -> None:
    chosen = invariance.slides(development=asked.dev, count=1 if asked.quick else None)
    for method in _methods(asked):
        keep(asked.out, "invariance", method.name, all_told(invariance.rows(chosen, method)))


def _cores(asked: Asked) -> None:
    for method in _methods(asked):
        found = real_cores.read_cores(method, asked.out / f"cores-{method.name}")
        if not found:
            sys.stdout.write("real cores: not here (HER2PATH_REAL_DATA), so not read\n")
            return
        rows = all_told(real_cores.rows(found))
        keep(asked.out, "cores", method.name, rows, {"cores": [asdict(core) for core in found]})


def _speed(asked: Asked) -> None:
    for method in _methods(asked):
        rows, extra = cost.mosaic_rows(method)
        keep(asked.out, "speed", method.name, all_told(rows), extra)


def _large(asked: Asked) -> None:
    for method in _methods(asked):
        rows, extra = cost.large_rows(method, full=False)
        keep(asked.out, "large", method.name, all_told(rows), extra)


def _large_full(asked: Asked) -> None:
    for method in _methods(asked):
        rows, extra = cost.large_rows(method, full=True)
        keep(asked.out, "large_full", method.name, all_told(rows), extra)


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
