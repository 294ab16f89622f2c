"""Run one step: what each Snakemake rule calls, and what `her2path ihc` and `fish` chain.

The arguments follow from the signature of the step's `run`, so that a step is declared once.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import logging
import time
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from her2path.cli.sheet_files import with_files
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ConfigError, Her2PathError, SlideError
from her2path.io import documents, placeholders
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import SheetFacts
from her2path.io.provenance import digests, producer

log = logging.getLogger(__name__)

DEFECT = "defect"
"""Reason of an image on which her2path itself failed."""
STEPS = (
    "slide_intake",
    "slide_quality",
    "slide_tiles",
    "ihc_cells",
    "ihc_score",
    "slide_view",
    "slide_dicom",
    "fish_nuclei",
    "fish_signals",
    "fish_counts",
    "case_call",
    "case_report",
    "case_pdf",
    "case_exchange",
    "cohort_report",
    "train_scenes",
    "train_fit",
    "train_card",
    "train_evaluate",
    "train_dataset",
    "train_finetune",
    "train_scorer",
    "train_next",
    "qa_reads",
    "qa_agreement",
    "qa_monitoring",
    "qa_review",
    "qa_page",
)
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "slide_intake": ("slide",),
    "slide_quality": ("quality", "tissue", "artefacts", "areas", "picture"),
    "slide_tiles": ("tiles",),
    "ihc_cells": ("cells", "contours"),
    "ihc_score": ("score", "geojson", "overlay", "controls", "blocks", "heterogeneity", "spots", "crops"),
    "slide_view": ("view",),
    "slide_dicom": ("dicom",),
    "fish_nuclei": ("objects", "labels"),
    "fish_signals": ("signals", "optics"),
    "fish_counts": ("nuclei", "counts", "gallery", "overview", "heterogeneity"),
    "case_call": ("call",),
    "case_report": ("report",),
    "case_pdf": ("report",),
    "case_exchange": ("fhir", "synoptic", "table"),
    "cohort_report": ("calls", "table", "cohort"),
    "train_scenes": ("scenes",),
    "train_fit": ("weights", "losses", "record"),
    "train_card": ("card",),
    "train_evaluate": ("evaluation", "page", "card"),
    "train_dataset": ("manifest", "page"),
    "train_finetune": ("weights", "losses", "curves", "record"),
    "train_scorer": ("weights", "record"),
    "train_next": ("sheet", "queries"),
    "qa_reads": ("table",),
    "qa_agreement": ("agreement",),
    "qa_monitoring": ("monitoring",),
    "qa_review": ("review",),
    "qa_page": ("page", "numbers", "tables"),
}
"""Keyword arguments of each step that name files it writes; all other paths are read."""
# Steps of a case or cohort read the reasons themselves: that an image failed is their subject.  Training
# and quality assurance have no image that could fail alone.
_OF_AN_IMAGE = frozenset(
    {
        "slide_intake",
        "slide_quality",
        "slide_tiles",
        "ihc_cells",
        "ihc_score",
        "slide_view",
        "slide_dicom",
        "fish_nuclei",
        "fish_signals",
        "fish_counts",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step module's two public names."""

    name: str
    run: Any
    params: type[BaseModel]

    @property
    def arguments(self) -> dict[str, Any]:
        """Types of the keyword arguments of `run`, without `params`."""
        hints = typing.get_type_hints(self.run)
        return {name: hints[name] for name in inspect.signature(self.run).parameters if name != "params"}


def load_step(name: str) -> Step:
    """Import a step by its name; ConfigError for an unknown one."""
    if name not in STEPS:
        raise ConfigError((f"unknown step {name!r}; known are {', '.join(STEPS)}",))
    # Imported here because a step loads imaging libraries that the command line does not need.
    module = importlib.import_module(f"her2path.steps.{name}")
    params = getattr(module, "".join(part.capitalize() for part in name.split("_")) + "Params")
    return Step(name, module.run, params)


def execute(step: Step, arguments: dict[str, Any], params: BaseModel) -> NotEvaluable | None:
    """Run a step; an image that cannot be measured ends in files that say why.

    Returns
    -------
    NotEvaluable or None
        Why there is no result, if there is none.
    """
    started = time.perf_counter()
    why = _reason_upstream(step, arguments) if step.name in _OF_AN_IMAGE else None
    if why is None:
        try:
            step.run(**arguments, params=params)
        except SlideError as error:
            if step.name not in _OF_AN_IMAGE:
                raise  # No result of its own could hold the reason, and a person waits for the message.
            why = NotEvaluable(error.code, str(error))
        except (Her2PathError, OSError, MemoryError):
            raise
        except Exception as error:
            if step.name not in _OF_AN_IMAGE:
                raise
            # One image must never stop the batch, whatever is wrong with it or with us; the trace
            # is in the log, and `her2path run` ends with the exit code of a defect.
            log.exception("defect")
            why = NotEvaluable(
                DEFECT,
                f"her2path failed on this image ({type(error).__name__}, see the log); please report it",
            )
    if why is not None:
        log.warning("not evaluable (%s): %s", why.code, why.reason)
        facts, inputs = _facts(arguments), _edits(arguments)
        for name in OUTPUTS[step.name]:
            made_by = producer(step.name, params)
            placeholders.write_not_evaluable(
                arguments[name], why, producer=made_by, facts=facts, inputs=inputs
            )
    log.info("%s done in %.2f s", step.name, time.perf_counter() - started)
    return why


def _reason_upstream(step: Step, arguments: dict[str, Any]) -> NotEvaluable | None:
    for name, value in arguments.items():
        if isinstance(value, Path) and name not in OUTPUTS[step.name]:
            why = placeholders.not_evaluable_of(value)
            if why is not None:
                return why
    return None


def _facts(arguments: dict[str, Any]) -> SheetFacts | None:
    row = arguments.get("row")
    if isinstance(row, ImageRow):
        return documents.sheet_facts(row)
    return documents.read_document(arguments["slide"], documents.SlideDoc).sheet


def _edits(arguments: dict[str, Any]) -> dict[str, str]:
    """Digest of a person's edits: without a result, too, a score states the edits that it was made with."""
    edits = arguments.get("edits")
    return {} if edits is None else digests(edits=edits)


def parse_arguments(step: Step, argv: Sequence[str]) -> tuple[dict[str, Any], BaseModel]:
    """Turn ``--key value ...`` into the keyword arguments and parameters of a step."""
    parser = argparse.ArgumentParser(prog=f"her2path step {step.name}", allow_abbrev=False)
    parser.add_argument("--params", default="{}", help="parameters as JSON; see her2path.config")
    for name, kind in step.arguments.items():
        _add_argument(parser, name, kind)
    found = vars(parser.parse_args(argv))
    params = _model(step.params, found.pop("params"), "params")
    arguments: dict[str, Any] = {}
    for name, kind in step.arguments.items():
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        arguments[name] = _model(kind, found[name], name) if is_model else found[name]
    return with_files(arguments), params


def _add_argument(parser: argparse.ArgumentParser, name: str, kind: Any) -> None:
    flag = "--" + name.replace("_", "-")
    if typing.get_origin(kind) is list:
        parser.add_argument(flag, dest=name, nargs="*", default=[], type=typing.get_args(kind)[0])
    elif isinstance(kind, types.UnionType):
        plain = next(member for member in typing.get_args(kind) if member is not type(None))
        parser.add_argument(flag, dest=name, default=None, type=plain)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        parser.add_argument(flag, dest=name, required=True, metavar="JSON")
    else:
        parser.add_argument(flag, dest=name, required=True, type=kind)


def _model(model: type[BaseModel], text: str, name: str) -> BaseModel:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = tuple(f"{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(faults) from error
