"""Folders of models as a training leaves them: the shipped weights, changed by a little or a lot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import save

from her2path.io.files import sha256_of
from her2path.io.model_store import open_model

SHIPPED = "her2-star-2"
SMALL_GUARD = """\
id: small-guard
what: five phantoms, and as many without staining
phantoms: {first_seed: 1990000, scenes: 5, side_px: 256}
unstained: {first_seed: 1990111, scenes: 5, side_px: 320}
margins:
- {figure: nuclei_f1, margin: 0.02, why: a test}
- {figure: stained_pct, margin: 2.0, why: a test}
"""


def trained(folder: Path, *, noise: float = 0.0, invents: float = 0.0, seed: int = 1) -> Path:
    """A folder with the shipped weights times 1 +- `noise`, the card of that fit and its record.

    A model that `invents` takes more places for nuclei (logits are raised by that much).
    """
    parent = open_model(SHIPPED)
    rng = np.random.default_rng(seed)
    values = {
        name: (array * (1 + rng.normal(0, noise, array.shape))).astype(np.float32) if noise else array
        for name, array in parent.load_weights().items()
    }
    values["fine_out.bias"] = values["fine_out.bias"] + np.array([invents, 0, 0], np.float32)
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(save(values))
    (folder / "fit.json").write_bytes((parent.folder / "fit.json").read_bytes())
    card = yaml.safe_load((parent.folder / "model.yaml").read_text(encoding="utf-8"))
    card |= {
        "schema_version": 2,
        "id": folder.name,
        "sha256": sha256_of(folder / "weights.safetensors"),
        "parent": {"id": SHIPPED, "sha256": parent.card.sha256},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return folder


def small_guard(folder: Path) -> Path:
    """A guard set that is measured in seconds."""
    path = folder / "small-guard.yaml"
    path.write_text(SMALL_GUARD, encoding="utf-8")
    return path
