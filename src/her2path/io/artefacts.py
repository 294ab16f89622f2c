"""The files of an image: their names, and the schema or model that owns each of them.

The one list of them; the workflow, the step runner and the reports take theirs from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from her2path.domain.case import Assay
from her2path.io import documents, tables
from her2path.io.documents import Document

IHC_FILES: Mapping[str, str] = MappingProxyType(
    {
        "slide": "slide.json",
        "quality": "quality.json",
        "tissue": "tissue.png",
        "artefacts": "artefacts.png",
        "areas": "quality.geojson",
        "picture": "quality.png",
        "tiles": "tiles.parquet",
        "cells": "ihc_cells.parquet",
        "contours": "ihc_contours.parquet",
        "score": "ihc_score.json",
        "geojson": "cells.geojson",
        "overlay": "overlay.png",
        "controls": "controls.png",
        "blocks": "ihc_blocks.parquet",
        "heterogeneity": "heterogeneity_map.png",
        "spots": "hotspots.geojson",
        "crops": "hotspots.png",
        "view": "view.tif",
    }
)
"""File in ``images/<image_id>/`` of each artefact of an IHC image, by the name of the steps' argument."""
FISH_FILES: Mapping[str, str] = MappingProxyType(
    {
        "slide": "slide.json",
        "quality": "quality.json",
        "tissue": "tissue.png",
        "artefacts": "artefacts.png",
        "areas": "quality.geojson",
        "picture": "quality.png",
        "objects": "fish_objects.parquet",
        "labels": "fish_labels.tif",
        "signals": "fish_signals.parquet",
        "optics": "fish_signals.json",
        "nuclei": "fish_nuclei.parquet",
        "counts": "fish_counts.json",
        "gallery": "gallery.png",
        "overview": "fish_overview.png",
        "heterogeneity": "fish_heterogeneity.png",
    }
)
"""The same of a FISH image."""
DOCUMENTS: Mapping[str, type[Document]] = MappingProxyType(
    {
        "slide.json": documents.SlideDoc,
        "quality.json": documents.QualityDoc,
        "ihc_score.json": documents.IhcScoreDoc,
        "fish_signals.json": documents.FishSignalsDoc,
        "fish_counts.json": documents.FishCountsDoc,
    }
)
"""Model of each document, by file name."""
TABLES: Mapping[str, pa.Schema] = MappingProxyType(
    {
        "tiles.parquet": tables.TILES,
        "ihc_cells.parquet": tables.IHC_CELLS,
        "ihc_contours.parquet": tables.IHC_CONTOURS,
        "ihc_blocks.parquet": tables.IHC_BLOCKS,
        "fish_objects.parquet": tables.FISH_OBJECTS,
        "fish_signals.parquet": tables.FISH_SIGNALS,
        "fish_nuclei.parquet": tables.FISH_NUCLEI,
    }
)
"""Schema of each table, by file name."""


def files_of(assay: Assay) -> Mapping[str, str]:
    """Name the files of an image of one assay, by the steps' argument."""
    return IHC_FILES if assay is Assay.IHC else FISH_FILES
