# Quality assurance against pathologist reads.  No case needs these rules; ask for the page by name:
#   snakemake --cores 2 --configfile my.yaml -- qa.html
# Which reads are meant stands in section `qa` of the configuration.
rule qa_reads:
    input:
        calls="calls.csv",
    output:
        table="qa/reads.parquet",
    log:
        "logs/qa_reads.log",
    conda:
        "../envs/her2path.yaml"
    params:
        reads=qa_option("reads"),
        strata=qa_option("strata"),
        mapping=qa_option("mapping"),
        states=qa_states("reads", "strata", "mapping"),
        settings=settings("qa_reads"),
        version=VERSION,
    shell:
        "her2path --verbose step qa_reads --calls {input.calls:q} {params.reads:q} {params.strata:q}"
        " {params.mapping:q} --table {output.table:q} --params {params.settings:q} 2> {log:q}"


rule qa_agreement:
    input:
        table="qa/reads.parquet",
    output:
        agreement="qa/agreement.json",
    log:
        "logs/qa_agreement.log",
    conda:
        "../envs/her2path.yaml"
    params:
        settings=settings("qa_agreement"),
        version=VERSION,
    shell:
        "her2path --verbose step qa_agreement --table {input.table:q} --agreement {output.agreement:q}"
        " --params {params.settings:q} 2> {log:q}"


rule qa_monitoring:
    input:
        table="qa/reads.parquet",
        # Named to wait for them; the step looks for control tissue in the folder, because the paths of
        # thousands of slides do not fit into a command.
        slide=ihc_files("slide.json"),
        score=ihc_files("ihc_score.json"),
    output:
        monitoring="qa/monitoring.json",
    log:
        "logs/qa_monitoring.log",
    conda:
        "../envs/her2path.yaml"
    params:
        runs=qa_option("runs"),
        mapping=qa_option("mapping"),
        states=qa_states("runs", "mapping"),
        settings=settings("qa_monitoring"),
        version=VERSION,
    shell:
        "her2path --verbose step qa_monitoring --table {input.table:q} {params.runs:q} {params.mapping:q}"
        " --images images --monitoring {output.monitoring:q} --params {params.settings:q} 2> {log:q}"


rule qa_review:
    input:
        table="qa/reads.parquet",
        calls="calls.csv",
        # The review names pictures and reports where they exist, so they are made first.
        reports=expand("cases/{case_id}/report.html", case_id=SHEET.case_ids),
    output:
        review="qa/review.json",
    log:
        "logs/qa_review.log",
    conda:
        "../envs/her2path.yaml"
    params:
        # Answers and decisions come by hand; without any, neither place exists.
        states=[
            state_of(OUT / "qa" / name) for name in ("rereads", "adjudications.json")
        ],
        settings=settings("qa_review"),
        version=VERSION,
    shell:
        "her2path --verbose step qa_review --table {input.table:q} --calls {input.calls:q}"
        " --rereads qa/rereads --adjudications qa/adjudications.json"
        " --review {output.review:q} --params {params.settings:q} 2> {log:q}"


rule qa_page:
    input:
        agreement="qa/agreement.json",
        monitoring="qa/monitoring.json",
        review="qa/review.json",
    output:
        page="qa.html",
        numbers="qa.json",
        tables=directory("tables"),
    log:
        "logs/qa_page.log",
    conda:
        "../envs/her2path.yaml"
    params:
        settings=settings("qa_page"),
        version=VERSION,
    shell:
        "her2path --verbose step qa_page --agreement {input.agreement:q} --monitoring {input.monitoring:q}"
        " --review {input.review:q} --page {output.page:q} --numbers {output.numbers:q} --tables {output.tables:q}"
        " --params {params.settings:q} 2> {log:q}"
