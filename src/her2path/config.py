"""The configuration of a run: the parameters of every step, and nothing else.

Cut-points of a guideline are not configuration; the case sheet names a guideline by its id.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from her2path.errors import ConfigError
from her2path.io.yaml_text import parse_yaml
from her2path.steps.case_call import CaseCallParams
from her2path.steps.case_exchange import CaseExchangeParams
from her2path.steps.case_pdf import CasePdfParams
from her2path.steps.case_report import CaseReportParams
from her2path.steps.cohort_report import CohortReportParams
from her2path.steps.fish_counts import FishCountsParams
from her2path.steps.fish_nuclei import FishNucleiParams
from her2path.steps.fish_signals import FishSignalsParams
from her2path.steps.ihc_cells import IhcCellsParams
from her2path.steps.ihc_score import IhcScoreParams
from her2path.steps.qa_agreement import QaAgreementParams
from her2path.steps.qa_monitoring import QaMonitoringParams
from her2path.steps.qa_page import QaPageParams
from her2path.steps.qa_reads import QaReadsParams
from her2path.steps.qa_review import QaReviewParams
from her2path.steps.slide_dicom import SlideDicomParams
from her2path.steps.slide_intake import SlideIntakeParams
from her2path.steps.slide_quality import SlideQualityParams
from her2path.steps.slide_tiles import SlideTilesParams
from her2path.steps.slide_view import SlideViewParams
from her2path.steps.train_card import TrainCardParams
from her2path.steps.train_dataset import TrainDatasetParams
from her2path.steps.train_evaluate import TrainEvaluateParams
from her2path.steps.train_finetune import TrainFinetuneParams
from her2path.steps.train_fit import TrainFitParams
from her2path.steps.train_next import TrainNextParams
from her2path.steps.train_scenes import TrainScenesParams
from her2path.steps.train_scorer import TrainScorerParams


class QaFiles(BaseModel):
    """What software and readers are compared on; asked for as `qa.html`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    reads: Path = Path("sample_data/reads.tsv")
    """Reads of pathologists; made-up ones that ship with the project by default."""
    strata: Path | None = None
    """Site, scanner, clone, batch and specimen of each case."""
    runs: Path | None = None
    """Series of control tissue, one row a run."""
    mapping: Path | None = None
    """Names that an export uses for columns, readers and words."""

    def resolved(self) -> QaFiles:
        """Make the paths absolute: the workflow runs in the folder of the results."""
        found = {name: path and path.resolve() for name, path in self}
        return QaFiles.model_validate(found)


class Config(BaseModel):
    """What an operator may set; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cases: Path = Path("sample_data/cases.tsv")
    """Case sheet; the synthetic cases that ship with the project by default."""
    out: Path = Path("results/demo")
    """Folder of the results."""
    slide_intake: SlideIntakeParams = SlideIntakeParams()
    slide_quality: SlideQualityParams = SlideQualityParams()
    slide_tiles: SlideTilesParams = SlideTilesParams()
    ihc_cells: IhcCellsParams = IhcCellsParams()
    ihc_score: IhcScoreParams = IhcScoreParams()
    slide_view: SlideViewParams = SlideViewParams()
    slide_dicom: SlideDicomParams = SlideDicomParams()
    fish_nuclei: FishNucleiParams = FishNucleiParams()
    fish_signals: FishSignalsParams = FishSignalsParams()
    fish_counts: FishCountsParams = FishCountsParams()
    case_call: CaseCallParams = CaseCallParams()
    case_report: CaseReportParams = CaseReportParams()
    pdf: bool = True
    """Whether every case gets `report.pdf`; false where Pango, which draws it, cannot be installed."""
    case_pdf: CasePdfParams = CasePdfParams()
    case_exchange: CaseExchangeParams = CaseExchangeParams()
    cohort_report: CohortReportParams = CohortReportParams()
    train_scenes: TrainScenesParams = TrainScenesParams()
    train_fit: TrainFitParams = TrainFitParams()
    train_card: TrainCardParams = TrainCardParams()
    train_evaluate: TrainEvaluateParams = TrainEvaluateParams()
    labels: Path = Path("sample_data/training/dataset.tsv")
    """Sheet of labelled images; synthetic ones that ship with the project by default."""
    train_dataset: TrainDatasetParams = TrainDatasetParams()
    train_finetune: TrainFinetuneParams = TrainFinetuneParams()
    train_scorer: TrainScorerParams = TrainScorerParams()
    train_next: TrainNextParams = TrainNextParams()
    qa: QaFiles = QaFiles()
    """Files of quality assurance."""
    qa_reads: QaReadsParams = QaReadsParams()
    qa_agreement: QaAgreementParams = QaAgreementParams()
    qa_monitoring: QaMonitoringParams = QaMonitoringParams()
    qa_review: QaReviewParams = QaReviewParams()
    qa_page: QaPageParams = QaPageParams()

    def params_of(self, step: str) -> BaseModel:
        """Return the parameters of one step."""
        section = getattr(self, step)
        assert isinstance(section, BaseModel)  # noqa: S101  (a step is named, whose field is a model)
        return section


def parse_config(data: Mapping[str, object]) -> Config:
    """Check a configuration; ConfigError names every fault by its key, with the nearest known one."""
    try:
        return Config.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigError(tuple(_fault(item) for item in error.errors())) from error


def read_config(path: Path) -> Config:
    """Read and check a YAML file; ConfigError if it is no mapping or has faults."""
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"{path.name} cannot be read: {error}",)) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError((f"{path.name} must hold keys and values",))
    return parse_config(data or {})


def _fault(item: Mapping[str, object]) -> str:
    place = item["loc"]
    assert isinstance(place, tuple)  # noqa: S101  (pydantic's own type of an error's place)
    key = ".".join(str(part) for part in place)
    if item["type"] != "extra_forbidden":
        return f"{key}: {item['msg']} (found {item['input']!r})"
    near = difflib.get_close_matches(str(place[-1]), _keys_beside(place), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{key}: unknown key{hint}"


def _keys_beside(place: tuple[object, ...]) -> list[str]:
    model: type[BaseModel] = Config
    for part in place[:-1]:
        kind = model.model_fields[str(part)].annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return []
        model = kind
    return list(model.model_fields)
