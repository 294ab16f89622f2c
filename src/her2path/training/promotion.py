"""Whether a trained model may be taken into use: its card, its evaluation, and the guard sets.

Nothing is measured here.  The verdicts are worked out anew from the counts in `evaluation.json`, which
must be the file that the card vouches for; weights, record of the training and every entry of the card
must be those that it states.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from her2path.errors import ArtefactError, ModelError
from her2path.imaging.nets.registry import architecture, check_weights
from her2path.io.documents import Producer, read_document
from her2path.io.evaluation_documents import EvaluatedSet, EvaluationDoc, MarginVerdict
from her2path.io.files import sha256_of
from her2path.io.guard_set import Margin, read_guard
from her2path.io.model_card import EvaluationEntry, ModelCard
from her2path.io.model_store import CARD, StoredModel, model_ids, open_model, read_card
from her2path.io.promotion import PromotionDoc, install, promoted_ids
from her2path.training.evaluation_report import judged_again

_EVALUATE = "run `her2path train evaluate` on its folder"
_RECORD = "fit.json"
_KEPT = ("evaluation.html", "losses.csv", "curves.svg")
"""Files that go with a model where they are there."""


def promote(folder: Path, *, guard: Path) -> tuple[PromotionDoc, Path]:
    """Take a model into use: copy its folder into the user's models folder.

    Parameters
    ----------
    folder : Path
        Of a trained and evaluated model; its name is the model's id.
    guard : Path
        Definition of the guard set that every promoted model has to pass.

    Returns
    -------
    record : PromotionDoc
    target : Path
        Folder of the promoted model.

    Raises
    ------
    ModelError
        It has no card or no evaluation, something was changed since it was evaluated, that was by another
        version of her2path, its id is taken, or it is not shown to be as good as the model in use.
    """
    folder = folder.absolute()
    card = _card(folder)
    _check_id(card.id)
    model = StoredModel(folder, card)
    check_weights(architecture(card.architecture, model_id=card.id), model.load_weights(), model_id=card.id)
    entry, found = evaluated(model)
    _check_version(card.id, found)
    _check_compared(card.id, found)
    _check_guards(card, found, guard)
    record = PromotionDoc(
        produced_by=Producer(step="models_promote", version=version("her2path")),
        id=card.id,
        files={},
        compared_with=entry.compared_with,
        guards=found.guards,
    )
    files = (CARD, card.weights, entry.file, _RECORD, *(name for name in _KEPT if (folder / name).is_file()))
    return record, install(folder, files, record)


def _card(folder: Path) -> ModelCard:
    if not (folder / CARD).is_file():
        raise ModelError(folder.name, f"it has no card ({CARD}); {_EVALUATE}")
    return read_card(folder)


def _check_id(model_id: str) -> None:
    rename = "rename its folder and evaluate it again"
    if model_id in model_ids():
        raise ModelError(model_id, f"a model of this id ships with her2path; {rename}")
    if model_id in promoted_ids():
        raise ModelError(
            model_id, f"a model of this id was promoted before, and results name models by their id; {rename}"
        )


def evaluated(model: StoredModel) -> tuple[EvaluationEntry, EvaluationDoc]:
    """Read the evaluation of a model, and check that the model is still as it was then.

    Parameters
    ----------
    model : StoredModel

    Raises
    ------
    ModelError
        There is no evaluation, or it is not that of this card, of these weights, or of the record of the
        training; what differs is named.
    """
    folder, card = model.folder, model.card
    entry = card.evaluation
    if entry is None:
        raise ModelError(card.id, f"its card holds no evaluation; {_EVALUATE}")
    path = folder / entry.file
    if not path.is_file():
        raise ModelError(card.id, f"{entry.file} is missing; {_EVALUATE}")
    if sha256_of(path) != entry.sha256:
        raise ModelError(card.id, f"{entry.file} is not the one that its card is of; {_EVALUATE} again")
    try:
        found = read_document(path, EvaluationDoc)
    except ArtefactError as error:
        raise ModelError(card.id, f"{entry.file} {error.detail}; {_EVALUATE} again") from error
    if found.model.sha256 != card.sha256 or found.model.id != card.id:
        raise ModelError(card.id, f"{entry.file} is the evaluation of other weights; {_EVALUATE} again")
    _check_record(model, found)
    now, then = card.digests(), found.card
    if changed := sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name)):
        raise ModelError(
            card.id,
            f"its {CARD} was changed since it was evaluated ({', '.join(changed)}); {_EVALUATE} again",
        )
    return entry, found


def _check_record(model: StoredModel, found: EvaluationDoc) -> None:
    """Refuse a model that does not say (any more) how its weights and cuts came about."""
    record = model.folder / _RECORD
    if not record.is_file():
        raise ModelError(
            model.card.id, f"{_RECORD}, the record of its training, is missing; restore it, or fit it again"
        )
    if sha256_of(record) != found.inputs.get("record"):
        raise ModelError(model.card.id, f"{_RECORD} was changed since it was evaluated; {_EVALUATE} again")


def _check_version(model_id: str, found: EvaluationDoc) -> None:
    if found.produced_by.version != version("her2path"):
        raise ModelError(
            model_id,
            f"it was evaluated by her2path {found.produced_by.version}, this is {version('her2path')}; "
            f"{_EVALUATE} again",
        )


def _check_compared(model_id: str, found: EvaluationDoc) -> None:
    for entry in found.compared_with:
        try:
            now = open_model(entry.id).card.sha256
        except ModelError as error:
            raise ModelError(
                model_id,
                f"it was compared with {entry.id!r}, which is no model in use (any more); {_EVALUATE} again",
            ) from error
        if now != entry.sha256:
            raise ModelError(
                model_id, f"it was compared with other weights than {entry.id!r} has now; {_EVALUATE} again"
            )


def _check_guards(card: ModelCard, found: EvaluationDoc, guard: Path) -> None:
    """Refuse a model that is not shown to be as good on any guard set."""
    model_id = card.id
    required, sha256 = read_guard(guard)
    parts = [part for part in found.sets if part.kind == "guard"]
    if not any(part.name == required.id and part.sha256 == sha256 for part in parts):
        raise ModelError(
            model_id, f"it was not evaluated on guard set {required.id} as it is now; {_EVALUATE}"
        )
    lost = []
    for part in parts:
        margins = required.margins if part.sha256 == sha256 else _margins(part)
        again = judged_again(part, margins)
        against = {entry.sha256 for entry in found.compared_with}
        if again != part.verdicts or {verdict.compared_with.sha256 for verdict in again} != against:
            raise ModelError(
                model_id,
                f"the verdict on guard set {part.name} does not follow from its counts; {_EVALUATE} again",
            )
        lost += [
            f"{part.name}, against {verdict.compared_with.id}: {_loss(row)}"
            for verdict in again
            for row in verdict.margins
            if not row.passed
        ]
    if lost:
        raise ModelError(
            model_id,
            "it is not shown to be as good as the model in use, and is not promoted ("
            + "; ".join(lost)
            + f"); {_what_to_do(card)}",
        )


def _what_to_do(card: ModelCard) -> str:
    if card.parent is not None and card.parent.sha256 == card.sha256:
        # The network is its parent's: the cuts alone make the difference, and no more training mends that.
        words = (
            f"its cuts alone differ from {card.parent.id}, and cuts that fit one laboratory grade others "
            "worse: fit them to labels of more laboratories"
        )
    else:
        words = "train it with more labels, or with more rehearsal of what it began with"
    return (
        f"{words}; or use it for slides like those that were labelled by the path of its folder "
        f"(`ihc_cells: {{model: ./{card.id}}}`), where results are flagged `model_not_promoted`. A guard set "
        "of your own (`train evaluate --guard`) is asked beside the one that ships, never instead of it"
    )


def _margins(part: EvaluatedSet) -> tuple[Margin, ...]:
    rows = part.verdicts[0].margins if part.verdicts else ()
    return tuple(Margin.model_validate(row.model_dump(include={"figure", "margin", "why"})) for row in rows)


def _loss(row: MarginVerdict) -> str:
    difference = row.difference
    if difference.value is None or difference.low is None:
        return f"{row.figure} not measured ({difference.why})"
    return f"{row.figure} {difference.value:+.3f}, at worst {difference.low:+.3f}; taken is {-row.margin:+g}"
