# her2path: from slides and FISH fields to HER2 calls with their evidence.
#
#   her2path run CASES.tsv --out DIR            checks everything first, then runs this file
#   snakemake --cores 2 --config cases=CASES.tsv out=DIR
from snakemake.utils import min_version

min_version("9.27")


configfile: workflow.source_path("workflows/config/config.yaml")


include: "workflows/rules/common.smk"


workdir: str(OUT)


wildcard_constraints:
    image_id=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    case_id=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    model_id=r"[a-z0-9][a-z0-9._-]*",


include: "workflows/rules/slide.smk"
include: "workflows/rules/ihc.smk"
include: "workflows/rules/fish.smk"
include: "workflows/rules/case.smk"
include: "workflows/rules/training.smk"
include: "workflows/rules/qa.smk"


rule all:
    default_target: True
    input:
        "calls.csv",
        "calls.parquet",
        "cohort.html",
        dicom_folders(),
        expand("cases/{case_id}/report.html", case_id=SHEET.case_ids),
        expand("cases/{case_id}/report.fhir.json", case_id=SHEET.case_ids),
        expand(
            "cases/{case_id}/report.pdf",
            case_id=SHEET.case_ids if SETTINGS.pdf else (),
        ),
