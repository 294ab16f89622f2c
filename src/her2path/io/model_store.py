"""Models on disk: a card beside the weights that it vouches for.

Nothing of a model is used before its card is understood and the digest of its weights is the one
that the card states.  An id names a model that ships with her2path, or one that was promoted; no
promoted model can stand in the place of a shipped one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import ValidationError
from safetensors.numpy import load

from her2path.errors import ModelError, UnsuitableImageError
from her2path.io.files import sha256_of
from her2path.io.model_card import ModelCard
from her2path.io.model_entries import ModelEntry, ModelOrigin
from her2path.io.promotion import FOLDER_VARIABLE, promoted_folder, promoted_ids, read_promotion
from her2path.io.yaml_text import parse_yaml

CARD = "model.yaml"
_AGAIN = "install the model again"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model whose card was read; weights are checked when they are loaded."""

    folder: Path
    card: ModelCard
    origin: ModelOrigin = ModelOrigin.FOLDER
    guards: tuple[str, ...] = ()
    """Guard sets that a promoted model passed."""

    def entry(self) -> ModelEntry:
        """State which model this is, for results."""
        parent = self.card.parent
        return ModelEntry(
            id=self.card.id,
            sha256=self.card.sha256,
            origin=self.origin,
            parent=None if parent is None else parent.id,
            guards=self.guards,
        )

    @property
    def weights_path(self) -> Path:
        """File of the weights."""
        return self.folder / self.card.weights

    def card_sha256(self) -> str:
        """Digest of the card, which holds that of the weights and the calibration."""
        return sha256_of(self.folder / CARD)

    def verify(self) -> None:
        """Compare the weights with the card; ModelError if they differ."""
        if not self.weights_path.is_file():
            raise ModelError(self.card.id, f"{self.card.weights} is missing beside its card; {_AGAIN}")
        found = sha256_of(self.weights_path)
        if found != self.card.sha256:
            raise ModelError(
                self.card.id,
                f"{self.card.weights} has SHA-256 {found[:12]}…, its card states {self.card.sha256[:12]}…; "
                f"{_AGAIN}, and do not use these weights",
            )

    def load_weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Load the weights after their digest was checked."""
        self.verify()
        return {name: np.asarray(values) for name, values in load(self.weights_path.read_bytes()).items()}

    def expect_mpp(self, mpp: float, *, image_id: str) -> None:
        """Refuse an image that is worked at a pixel size the model was not trained for.

        Parameters
        ----------
        mpp : float
            Working pixel size in µm.
        image_id : str

        Raises
        ------
        UnsuitableImageError
            The image was scanned coarser; other images of the batch may be measured.
        ModelError
            It is worked finer than the model needs: a matter of the configuration.
        """
        card = self.card
        if abs(mpp / card.mpp - 1) <= _SAME_MPP:
            return
        if mpp > card.mpp:
            detail = (
                f"it is worked at {mpp:.3g} µm/px, and model {card.id} was trained for {card.mpp:g} µm/px; "
                "scan it finer, or set `model: null` of ihc_cells for it"
            )
            raise UnsuitableImageError(image_id, detail, code="too_coarse")
        raise ModelError(
            card.id,
            f"it was trained for {card.mpp:g} µm/px, and image {image_id!r} is worked at {mpp:.3g} µm/px; "
            f"set `target_mpp: {card.mpp:g}` of slide_tiles, or `model: null` of ihc_cells",
        )


_SAME_MPP = 0.04
"""A slide within 2 % of a whole multiple is worked at that multiple; the rest is room for scanners."""


def models_folder() -> Path:
    """Folder of the models that ship with her2path."""
    packaged = Path(str(files("her2path") / "_models"))
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "models"


def model_ids() -> tuple[str, ...]:
    """Ids of the models that ship with her2path."""
    return tuple(sorted(path.parent.name for path in models_folder().glob(f"*/{CARD}")))


def known_ids() -> tuple[str, ...]:
    """Ids of all models that can be named by one: those that ship first, then the promoted ones."""
    shipped = model_ids()
    return (*shipped, *(name for name in promoted_ids() if name not in shipped))


def is_plain_name(name: str) -> bool:
    """Tell whether a model is named by its id, not by the path of a folder.

    Examples
    --------
    >>> is_plain_name("her2-own-1"), is_plain_name("./her2-own-1")
    (True, False)
    """
    return name not in {"", ".", ".."} and not {"/", os.sep} & set(name)


def open_model(name: str) -> StoredModel:
    """Open a model by the id of one that ships with her2path or was promoted, or by the path of its folder.

    A folder in the current one is written ``./its-name``.

    Raises
    ------
    ModelError
        There is no such model, its card cannot be understood, or it was changed since it was promoted.
    """
    if name in model_ids():
        return _stored(models_folder() / name, ModelOrigin.SHIPPED)
    own = promoted_folder()
    # A plain name is an id and nothing else: once a promoted model is gone, a folder that happens to be
    # called like it must not take its place.
    folder = own / name if is_plain_name(name) else Path(name)
    if folder.absolute().parent == own and folder.name in promoted_ids():
        if folder.name in model_ids():
            raise ModelError(
                folder.name, "a model of this id ships with her2path now; evaluate and promote yours anew"
            )
        record = read_promotion(folder)
        passed = tuple(dict.fromkeys(guard.id for guard in record.guards if guard.passed))
        return _stored(folder, ModelOrigin.PROMOTED, passed)
    if not (folder / CARD).is_file():
        raise ModelError(folder.name, _unknown())
    return _stored(folder, ModelOrigin.FOLDER)


def _stored(folder: Path, origin: ModelOrigin, guards: tuple[str, ...] = ()) -> StoredModel:
    return StoredModel(folder, read_card(folder), origin, guards)


def _unknown() -> str:
    shipped, promoted = (", ".join(ids) or "none" for ids in (model_ids(), promoted_ids()))
    return (
        f"no {CARD} was found; give the id of a model that ships with her2path ({shipped}), of a promoted "
        f"one ({promoted}; {FOLDER_VARIABLE} names their folder), or the path of a folder (./its-name)"
    )


def read_card(folder: Path) -> ModelCard:
    """Read the card of a model's folder.

    Raises
    ------
    ModelError
        It cannot be understood, or is that of another model.
    """
    try:
        data = parse_yaml((folder / CARD).read_text(encoding="utf-8"))
        card = ModelCard.model_validate(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(folder.name, f"its {CARD} is no YAML ({error}); {_AGAIN}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
        raise ModelError(folder.name, f"its {CARD} is not understood ({faults}); {_AGAIN}") from error
    if card.id != folder.name:
        raise ModelError(folder.name, f"its {CARD} is that of {card.id!r}; {_AGAIN}")
    return card
