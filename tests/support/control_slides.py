"""Slides with control tissue beside the tumour: phantoms set side by side on one glass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, IhcPhantomSpec
from her2path.io import phantom_files

MPP = 0.5
GAP_PX = 800
"""400 µm of glass between two pieces."""


@dataclass(frozen=True)
class Piece:
    """A piece of tissue: its score and its edge in pixels."""

    score: str
    edge_px: int = 768
    seed: int = 500_301


TUMOUR = Piece("1+", 896, 500_302)


def glass_with(pieces: Sequence[Piece]) -> npt.NDArray[np.uint8]:
    """Set pieces side by side from left to right, shape (M, N, 3), 0.5 µm a pixel."""
    style = STYLES["classic"]
    height = max(piece.edge_px for piece in pieces)
    width = sum(piece.edge_px for piece in pieces) + GAP_PX * (len(pieces) - 1)
    rng = np.random.default_rng(500_300)
    noise = rng.normal(0, style.noise, (height, width, 3))
    glass = np.clip(np.asarray(style.white) + noise, 0, 255).astype(np.uint8)
    left = 0
    for piece in pieces:
        spec = IhcPhantomSpec(
            seed=piece.seed,
            width_px=piece.edge_px,
            height_px=piece.edge_px,
            mpp=MPP,
            classes=SCORE_PRESETS[piece.score],
            style=style,
            island=True,
        )
        top = (height - piece.edge_px) // 2
        glass[top : top + piece.edge_px, left : left + piece.edge_px] = render_ihc(spec).rgb
        left += piece.edge_px + GAP_PX
    return glass


def write_slide(path: Path, *pieces: Piece) -> Path:
    """Write such a slide as a pyramidal TIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    phantom_files.write_slide(path, glass_with(pieces), mpp=MPP, quality=85)
    return path
