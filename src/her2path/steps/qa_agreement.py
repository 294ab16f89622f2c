"""Step qa_agreement: how far software and readers agree, and readers with each other.

Between readers the first read of each case counts; later sessions say how far a reader repeats themselves.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Lt
from pydantic import BaseModel, ConfigDict

from her2path.io.provenance import digests, producer
from her2path.io.qa_documents import AgreementDoc

log = logging.getLogger(__name__)


class QaAgreementParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    reference: str = ""
    """Reader who is the reference standard; empty = there is none, and no sensitivity is stated."""
    seed: Annotated[int, Ge(0)] = 20_261_122
    """Of the bootstrap."""
    draws: Annotated[int, Ge(100)] = 2000
    """Of the bootstrap."""
    confidence: Annotated[float, Gt(0), Lt(1)] = 0.95
    """Of all intervals."""


def run(*, table: Path, agreement: Path, params: QaAgreementParams) -> None:
    """Work out all agreement of the reads in `table` and write `qa/agreement.json`."""
    # Statistics load SciPy, which takes a second that help and other steps need not spend.
    from her2path.io.agreement import Study, agreement_result  # noqa: PLC0415
    from her2path.io.documents import write_document  # noqa: PLC0415

    study = Study.read(
        table,
        reference=params.reference,
        seed=params.seed,
        draws=params.draws,
        confidence=params.confidence,
    )
    result = agreement_result(study)
    document = AgreementDoc(
        produced_by=producer("qa_agreement", params), inputs=digests(reads=table), result=result
    )
    write_document(agreement, document)
    log.info("%d cases, %d readers, %d comparisons", result.cases, len(result.readers), len(result.pairs))
