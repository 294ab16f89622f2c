# What the rules ask of the configuration and the case sheet.  Both are checked here, before any
# job; everything that decides anything lives in the package, where it is tested.
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from her2path.cli.sheet_files import hand_on, reference, without_paths
from her2path.config import parse_config
from her2path.domain.case import Assay
from her2path.domain.guideline.registry import guideline_ids
from her2path.io.artefacts import files_of
from her2path.io.case_sheet import read_case_sheet
from her2path.io.files import sha256_of, state_of
from her2path.io.guard_set import shipped_guard
from her2path.io.model_store import open_model
from her2path.io.slides.dicom_series import names_dicom

SETTINGS = parse_config(config)
OUT = SETTINGS.out.resolve()
# Here, because what the rules read comes after the change of the working directory.
QA_FILES = {name: path for name, path in SETTINGS.qa.resolved() if path is not None}
LABELS = SETTINGS.labels.resolve()
SHEET = read_case_sheet(SETTINGS.cases.resolve(), guidelines=guideline_ids())
hand_on(SHEET.rows)
# Part of every rule's params, so that results of another version are made again.
VERSION = version("her2path")
# Blocks of one slide wait for each other where they are written, so a third core gains little within
# a slide; a batch uses more cores by measuring more slides side by side.
THREADS = min(2, workflow.cores or 2)


def settings(step):
    """Parameters of one step as JSON: a job runs again when they change, and only then."""
    return SETTINGS.params_of(step).model_dump_json()


def model(wildcards):
    """Digest of the card of the model that finds cells: cells are found again when another one has its id."""
    name = SETTINGS.ihc_cells.model
    return None if name is None else _card_digest(name)


@lru_cache
def _card_digest(name):
    return open_model(name).card_sha256()


def row(wildcards):
    """The sheet's row of an image as JSON, without a path."""
    return without_paths(SHEET.image(wildcards.image_id)).model_dump_json()


def image(wildcards):
    """Stand for the files of an image: their names may name a patient, and Snakemake keeps what it is given."""
    return reference(wildcards.image_id)


def fingerprint(wildcards):
    """Size and time of every file of an image: it is taken in again when one of them changes.

    The files are no inputs of a rule: one that is missing, unreadable or oddly named would stop the
    batch instead of its own case, and one that was replaced by an *older* file would go unnoticed.
    """
    found = SHEET.image(wildcards.image_id)
    named = {"tumour_roi": found.tumour_roi, "exclude_roi": found.exclude_roi}
    regions = {name: state_of(path) for name, path in named.items() if path is not None}
    return {"path": [state_of(path) for path in found.path], **regions}


def regions(wildcards):
    """Options that name the regions of an image."""
    found = SHEET.image(wildcards.image_id)
    named = {"--tumour-roi": found.tumour_roi, "--exclude-roi": found.exclude_roi}
    return [
        word
        for flag, path in named.items()
        if path is not None
        for word in (flag, reference(wildcards.image_id))
    ]


def recount(wildcards):
    """Option that names the read of a second person, where one was taken back, and its digest.

    The file is no input of a rule, for no rule makes it and most cases have none; by the digest among
    the parameters a case is called again when a read comes, changes or goes.
    """
    path = OUT / "cases" / wildcards.case_id / "recount" / "recount.json"
    if not path.is_file():
        return {"option": [], "sha256": None}
    return {
        "option": ["--recount", str(path.relative_to(OUT))],
        "sha256": sha256_of(path),
    }


def edits(wildcards):
    """Option that names what a person changed on a slide, where edits were taken back, and its digest.

    The file is no input, as that of a recount is none: the slide is scored again when edits come, change
    or go.  Where they came and went outside the workflow, its records are of no use, and `her2path run`
    forces the rule (`scored_otherwise`).
    """
    path = OUT / "images" / wildcards.image_id / "edits" / "edits.json"
    if not path.is_file():
        return {"option": [], "sha256": None}
    return {
        "option": ["--edits", str(path.relative_to(OUT))],
        "sha256": sha256_of(path),
    }


def of_case(file, assay=None):
    """Input function: one file of every image of a case (of one assay)."""
    return lambda wildcards: [
        f"images/{found.image_id}/{file}"
        for found in SHEET.images_of(wildcards.case_id)
        if assay in (None, found.assay)
    ]


def artefacts(wildcards):
    """Every file of every image of a case."""
    return [
        f"images/{found.image_id}/{file}"
        for found in SHEET.images_of(wildcards.case_id)
        for file in files_of(found.assay).values()
    ]


def qa_option(name):
    """Option that names a file of section `qa`, where one is stated."""
    return [f"--{name}", str(QA_FILES[name])] if name in QA_FILES else []


def qa_states(*names):
    """Size and time of files of section `qa`: a step runs again when one of its files changes.

    They are no inputs of a rule, since the step itself says what to do about a missing one.
    """
    return {name: state_of(QA_FILES[name]) for name in names if name in QA_FILES}


def dicom_folders():
    """Folder of DICOM objects of every IHC slide that comes as DICOM."""
    return [
        f"images/{found.image_id}/dicom"
        for found in SHEET.rows
        if found.assay is Assay.IHC and names_dicom(found.path[0])
    ]


def ihc_files(file):
    """One file of every IHC image of the batch: control tissue may lie on any of them."""
    return [
        f"images/{found.image_id}/{file}"
        for found in SHEET.rows
        if found.assay is Assay.IHC
    ]
