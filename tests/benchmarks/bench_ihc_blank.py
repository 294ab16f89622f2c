"""Limit of blank: what is called stained on phantom fields without any staining.

Forty fields: five styles, solid and glandular, half of them with debris, two pixel sizes; seeds
used nowhere else.  Real unstained tissue may give more; each laboratory measures its own.

A biopsy is scored by clusters of five cells, so the largest cluster of falsely stained cells is
told, too.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from her2path.cli import chain, phantom_ihc
from her2path.config import Config
from her2path.domain.case import Assay
from her2path.domain.ihc import Reactivity
from her2path.imaging.phantoms.ihc_spec import STYLES
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import IhcScoreDoc, read_document

FIRST_SEED = 880_000
SIDE_UM = 512


def main() -> None:
    """Print the share of stained cells over the fields."""
    shares, cells, above = [], 0, 0
    clusters: list[dict[Reactivity, int]] = []
    fields = product(STYLES, ("solid", "glandular"), (False, True), (0.25, 0.5))
    for number, (style, architecture, debris, mpp) in enumerate(fields):
        side = int(SIDE_UM / mpp)
        size = {"width_px": side, "height_px": side, "mpp": mpp, "style": style, "debris": debris}
        classes = phantom_ihc.choose_classes("null", ())
        spec = phantom_ihc.check_spec(seed=FIRST_SEED + number, classes=classes, **size)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            phantom_ihc.write_ihc(folder, replace(spec, architecture=architecture))
            row = ImageRow(case_id="c", image_id="i", assay=Assay.IHC, path=(folder / "slide.tif",))
            if why := chain.run_image(row, folder, Config(), workers=2):
                sys.stdout.write(f"field {number}: {why.reason}\n")
                continue
            result = read_document(folder / "images" / "i" / "ihc_score.json", IhcScoreDoc).result
        assert result is not None
        assert result.clusters is not None
        clusters.append(result.clusters)
        shares.append(result.percentages["stained"].pct)
        cells += result.scored_cells
        above += result.scored_cells - result.percentages["none"].cells
    low, high = np.percentile(shares, [50, 95])
    sys.stdout.write(
        f"{len(shares)} fields, {cells} scored cells: {100 * above / cells:.2f} % called stained;"
        f" median {low:.2f} %, 95th percentile {high:.2f} %, worst {max(shares):.2f} %\n"
    )
    largest = {level: max(found[level] for found in clusters) for level in clusters[0]}
    sys.stdout.write(f"largest cluster of falsely stained cells: {', '.join(map(_said, largest.items()))}\n")


def _said(item: tuple[Reactivity, int]) -> str:
    return f"{item[0]} {item[1]}"


if __name__ == "__main__":
    main()
