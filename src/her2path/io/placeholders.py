"""The written form of "this image could not be measured", for every artefact of an image.

A step whose image cannot be evaluated still writes all its files, each carrying the reason, so
that the image's case ends as not evaluable and no other case waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io import documents, tables
from her2path.io.artefacts import DOCUMENTS, TABLES
from her2path.io.call_entries import Reason
from her2path.io.dicom_documents import FOLDER, INDEX, DicomDoc
from her2path.io.documents import Producer, SheetFacts
from her2path.io.files import replacing_folder, write_bytes, write_text


def not_evaluable_of(path: Path) -> NotEvaluable | None:
    """Read the reason from an artefact that carries one; None for a result or another kind of file.

    Raises
    ------
    ArtefactError
        A document or table is missing or damaged.
    """
    if path.name in DOCUMENTS:
        return documents.not_evaluable_of(path)
    if path.name in TABLES:
        return tables.not_evaluable_of(path)
    return None


_NONE: Mapping[str, str] = MappingProxyType({})


def write_not_evaluable(
    path: Path,
    why: NotEvaluable,
    *,
    producer: Producer,
    facts: SheetFacts | None,
    inputs: Mapping[str, str] = _NONE,
) -> None:
    """Write the artefact named `path.name` as one that holds the reason instead of a result.

    Parameters
    ----------
    path : Path
        One of the artefacts of an image.
    why : NotEvaluable
        The reason.
    producer : Producer
        The step that could not do its work.
    facts : SheetFacts or None
        What the sheet says of the image; needed by documents that repeat it.
    inputs : mapping of str to str
        Digests that a document states, by name.
    """
    name = path.name
    head: dict[str, object] = {
        "produced_by": producer,
        "inputs": dict(inputs),
        "not_evaluable": Reason(code=why.code, reason=why.reason),
    }
    if name in DOCUMENTS:
        model = DOCUMENTS[name]
        if "sheet" in model.model_fields:
            head["sheet"] = facts
        documents.write_document(path, model.model_validate(head))
    elif name in TABLES:
        with tables.write_table(path, TABLES[name], produced_by=producer, not_evaluable=why):
            pass
    elif path.suffix == ".geojson":
        write_text(path, json.dumps({"type": "FeatureCollection", "features": []}) + "\n")
    elif path.suffix in {".png", ".tif"}:
        # A picture without content; pages and viewers show the document's reason instead.
        encoded, data = cv2.imencode(path.suffix, np.full((8, 8), 255, dtype=np.uint8))
        if not encoded:
            raise ArtefactError(name, "its placeholder cannot be encoded")
        write_bytes(path, data.tobytes())
    elif name == FOLDER:
        with replacing_folder(path, mark=INDEX, overwrite=True) as folder:
            documents.write_document(folder / INDEX, DicomDoc.model_validate(head))
    else:
        raise ArtefactError(name, "is no artefact of an image")
