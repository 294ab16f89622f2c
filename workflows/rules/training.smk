# A learned model from a seed: scenes, weights, card.  No case needs these rules; ask for a card by name:
#   snakemake --cores 2 --config out=results/training -- training/her2-star-2/model.yaml
rule train_scenes:
    output:
        scenes="training/scenes.json",
    log:
        "logs/train_scenes.log",
    conda:
        "../envs/her2path.yaml"
    threads: THREADS
    params:
        settings=settings("train_scenes"),
    shell:
        "her2path --verbose step train_scenes --scenes {output.scenes:q} --workers {threads}"
        " --params {params.settings:q} 2> {log:q}"


rule train_fit:
    input:
        scenes="training/scenes.json",
    output:
        weights="training/{model_id}/weights.safetensors",
        losses="training/{model_id}/losses.csv",
        record="training/{model_id}/fit.json",
    log:
        "logs/train_fit/{model_id}.log",
    conda:
        "../envs/her2path.yaml"
    threads: THREADS
    params:
        settings=settings("train_fit"),
    shell:
        "her2path --verbose step train_fit --scenes {input.scenes:q} --weights {output.weights:q}"
        " --losses {output.losses:q} --record {output.record:q} --params {params.settings:q} 2> {log:q}"


rule train_card:
    input:
        scenes="training/scenes.json",
        weights="training/{model_id}/weights.safetensors",
        record="training/{model_id}/fit.json",
    output:
        card="training/{model_id}/model.yaml",
    log:
        "logs/train_card/{model_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        settings=settings("train_card"),
    shell:
        "her2path --verbose step train_card --scenes {input.scenes:q} --record {input.record:q}"
        " --weights {input.weights:q} --card {output.card:q} --params {params.settings:q} 2> {log:q}"


# Labelled images, named by the sheet `labels` of the configuration, as a dataset that is split by patient.
rule train_dataset:
    output:
        manifest="retraining/manifest.json",
        page="retraining/dataset.html",
    log:
        "logs/train_dataset.log",
    conda:
        "../envs/her2path.yaml"
    threads: THREADS
    params:
        labels=str(LABELS),
        # No input, since the step itself says what to do about a missing sheet.
        state=state_of(LABELS),
        settings=settings("train_dataset"),
    shell:
        "her2path --verbose step train_dataset --sheet {params.labels:q} --manifest {output.manifest:q}"
        " --page {output.page:q} --workers {threads} --params {params.settings:q} 2> {log:q}"


# A model from labels: a dataset and the model to begin with give a folder.
rule train_finetune:
    input:
        dataset="retraining/manifest.json",
    output:
        weights="retraining/{model_id}/weights.safetensors",
        losses="retraining/{model_id}/losses.csv",
        curves="retraining/{model_id}/curves.svg",
        record="retraining/{model_id}/fit.json",
    log:
        "logs/train_finetune/{model_id}.log",
    conda:
        "../envs/her2path.yaml"
    threads: THREADS
    params:
        settings=settings("train_finetune"),
    shell:
        "her2path --verbose step train_finetune --dataset {input.dataset:q} --weights {output.weights:q}"
        " --losses {output.losses:q} --curves {output.curves:q} --record {output.record:q}"
        " --params {params.settings:q} 2> {log:q}"


# Beside the model in use; a fine-tuned model or a scorer alike.
rule train_evaluate:
    input:
        dataset="retraining/manifest.json",
        weights="retraining/{trained}/weights.safetensors",
        record="retraining/{trained}/fit.json",
        guards=str(shipped_guard()),
    output:
        evaluation="retraining/{trained}/evaluation.json",
        page="retraining/{trained}/evaluation.html",
        card="retraining/{trained}/model.yaml",
    log:
        "logs/train_evaluate/{trained}.log",
    wildcard_constraints:
        trained=r"(?:scorers/)?[a-z0-9][a-z0-9._-]*",
    conda:
        "../envs/her2path.yaml"
    params:
        settings=settings("train_evaluate"),
        version=VERSION,
    shell:
        "her2path --verbose step train_evaluate --dataset {input.dataset:q} --weights {input.weights:q}"
        " --record {input.record:q} --guards {input.guards:q} --evaluation {output.evaluation:q}"
        " --page {output.page:q} --card {output.card:q} --params {params.settings:q} 2> {log:q}"


# The cuts of a model, fitted to scored cells, tiles and slides.
rule train_scorer:
    input:
        dataset="retraining/manifest.json",
    output:
        weights="retraining/scorers/{model_id}/weights.safetensors",
        record="retraining/scorers/{model_id}/fit.json",
    log:
        "logs/train_scorer/{model_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        settings=settings("train_scorer"),
    shell:
        "her2path --verbose step train_scorer --dataset {input.dataset:q} --weights {output.weights:q}"
        " --record {output.record:q} --params {params.settings:q} 2> {log:q}"


# What to label next, of the images of the case sheet.
rule train_next:
    input:
        cells=[
            f"images/{row.image_id}/ihc_cells.parquet"
            for row in SHEET.rows
            if row.assay == Assay.IHC
        ],
    output:
        # Not removed before the rule runs: what a person filled in there since is compared, and kept.
        sheet=update("labelling/dataset.tsv"),
        queries=update("labelling/queries.json"),
    log:
        "logs/train_next.log",
    conda:
        "../envs/her2path.yaml"
    params:
        cases=str(SETTINGS.cases.resolve()),
        settings=settings("train_next"),
    shell:
        "her2path --verbose step train_next --results . --cases {params.cases:q} --sheet {output.sheet:q}"
        " --queries {output.queries:q} --params {params.settings:q} 2> {log:q}"
