# The call of a case, its report, and the pages of the whole batch.
from hashlib import sha256


rule case_call:
    input:
        slide=of_case("slide.json"),
        score=of_case("ihc_score.json", Assay.IHC),
        counts=of_case("fish_counts.json", Assay.FISH),
    output:
        call="cases/{case_id}/call.json",
    log:
        "logs/case_call/{case_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        recount=lambda wildcards: recount(wildcards)["option"],
        read=lambda wildcards: recount(wildcards)["sha256"],
        settings=settings("case_call"),
        version=VERSION,
    shell:
        "her2path --verbose step case_call --slide {input.slide:q} --score {input.score:q}"
        " --counts {input.counts:q} {params.recount:q} --call {output.call:q} --params {params.settings:q} 2> {log:q}"


rule case_report:
    input:
        call="cases/{case_id}/call.json",
        artefact=artefacts,
    output:
        report="cases/{case_id}/report.html",
    log:
        "logs/case_report/{case_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        recount=lambda wildcards: recount(wildcards)["option"],
        read=lambda wildcards: recount(wildcards)["sha256"],
        settings=settings("case_report"),
        version=VERSION,
    shell:
        "her2path --verbose step case_report --call {input.call:q} --artefact {input.artefact:q}"
        " {params.recount:q}"
        " --report {output.report:q} --params {params.settings:q} 2> {log:q}"


rule case_pdf:
    input:
        call="cases/{case_id}/call.json",
        artefact=artefacts,
    output:
        report="cases/{case_id}/report.pdf",
    log:
        "logs/case_pdf/{case_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        recount=lambda wildcards: recount(wildcards)["option"],
        read=lambda wildcards: recount(wildcards)["sha256"],
        settings=settings("case_pdf"),
        version=VERSION,
    shell:
        "her2path --verbose step case_pdf --call {input.call:q} --artefact {input.artefact:q}"
        " {params.recount:q}"
        " --report {output.report:q} --params {params.settings:q} 2> {log:q}"


# The same result for the systems of a hospital.
rule case_exchange:
    input:
        call="cases/{case_id}/call.json",
        slide=of_case("slide.json"),
        quality=of_case("quality.json"),
        score=of_case("ihc_score.json", Assay.IHC),
        counts=of_case("fish_counts.json", Assay.FISH),
    output:
        fhir="cases/{case_id}/report.fhir.json",
        synoptic="cases/{case_id}/synoptic.txt",
        table="cases/{case_id}/synoptic.csv",
    log:
        "logs/case_exchange/{case_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        settings=settings("case_exchange"),
        version=VERSION,
    shell:
        "her2path --verbose step case_exchange --call {input.call:q} --document {input.slide:q} {input.quality:q}"
        " {input.score:q} {input.counts:q} --fhir {output.fhir:q} --synoptic {output.synoptic:q}"
        " --table {output.table:q} --params {params.settings:q} 2> {log:q}"


rule cohort_report:
    input:
        # Named to wait for them; the step finds them in their folders by the case sheet, because the paths
        # of thousands of cases do not fit into a command.
        call=expand("cases/{case_id}/call.json", case_id=SHEET.case_ids),
        quality=[f"images/{found.image_id}/quality.json" for found in SHEET.rows],
    output:
        calls="calls.csv",
        table="calls.parquet",
        cohort="cohort.html",
    log:
        "logs/cohort_report.log",
    conda:
        "../envs/her2path.yaml"
    params:
        # The tables are written again when the order of the sheet changes.
        order=sha256("\n".join(SHEET.case_ids).encode()).hexdigest(),
        pdf=["--pdf", "report.pdf"] if SETTINGS.pdf else [],
        settings=settings("cohort_report"),
        version=VERSION,
    shell:
        "her2path --verbose step cohort_report --sheet sheet: --cases cases --images images"
        " {params.pdf:q} --calls {output.calls:q} --table {output.table:q} --cohort {output.cohort:q}"
        " --params {params.settings:q} 2> {log:q}"
