"""How a report says which model found the cells, and who vouches for it."""

from __future__ import annotations

from her2path.io.model_entries import ModelEntry, ModelOrigin

_DIGITS = 12
"""Of a SHA-256 that are printed."""


def model_words(model: ModelEntry | None) -> str:
    """Say which model found the cells of an image.

    Examples
    --------
    >>> model_words(None)
    'none: the classical method'
    """
    if model is None:
        return "none: the classical method"
    words = [f"{model.id} (weights {model.sha256[:_DIGITS]}…)"]
    if model.origin is ModelOrigin.SHIPPED:
        words.append("ships with her2path")
    else:
        if model.parent is not None:
            words.append(f"retrained from {model.parent}")
        if model.origin is ModelOrigin.PROMOTED:
            words.append(f"promoted by its user; passed {', '.join(model.guards) or 'no guard set'}")
        else:
            words.append("not promoted: no guard set speaks for it")
    return ", ".join(words)
