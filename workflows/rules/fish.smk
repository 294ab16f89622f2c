# Nuclei, signals and counts of a FISH image.
rule fish_nuclei:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
    output:
        objects="images/{image_id}/fish_objects.parquet",
        labels="images/{image_id}/fish_labels.tif",
    log:
        "logs/fish_nuclei/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    resources:
        mem_mb=1500,
    params:
        image=image,
        regions=regions,
        settings=settings("fish_nuclei"),
        version=VERSION,
    shell:
        "her2path --verbose step fish_nuclei --image {params.image:q} --slide {input.slide:q}"
        " --quality {input.quality:q} {params.regions:q} --objects {output.objects:q}"
        " --labels {output.labels:q} --params {params.settings:q} 2> {log:q}"


rule fish_signals:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
        labels="images/{image_id}/fish_labels.tif",
        objects="images/{image_id}/fish_objects.parquet",
    output:
        signals="images/{image_id}/fish_signals.parquet",
        optics="images/{image_id}/fish_signals.json",
    log:
        "logs/fish_signals/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    resources:
        mem_mb=1500,
    params:
        image=image,
        settings=settings("fish_signals"),
        version=VERSION,
    shell:
        "her2path --verbose step fish_signals --image {params.image:q} --slide {input.slide:q}"
        " --quality {input.quality:q} --labels {input.labels:q} --objects {input.objects:q} --signals {output.signals:q}"
        " --optics {output.optics:q} --params {params.settings:q} 2> {log:q}"


rule fish_counts:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
        objects="images/{image_id}/fish_objects.parquet",
        labels="images/{image_id}/fish_labels.tif",
        signals="images/{image_id}/fish_signals.parquet",
        optics="images/{image_id}/fish_signals.json",
    output:
        nuclei="images/{image_id}/fish_nuclei.parquet",
        counts="images/{image_id}/fish_counts.json",
        gallery="images/{image_id}/gallery.png",
        overview="images/{image_id}/fish_overview.png",
        heterogeneity="images/{image_id}/fish_heterogeneity.png",
    log:
        "logs/fish_counts/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        image=image,
        settings=settings("fish_counts"),
        version=VERSION,
    shell:
        "her2path --verbose step fish_counts --image {params.image:q} --slide {input.slide:q}"
        " --quality {input.quality:q} --objects {input.objects:q} --labels {input.labels:q}"
        " --signals {input.signals:q}"
        " --optics {input.optics:q} --nuclei {output.nuclei:q} --counts {output.counts:q}"
        " --gallery {output.gallery:q} --overview {output.overview:q}"
        " --heterogeneity {output.heterogeneity:q}"
        " --params {params.settings:q} 2> {log:q}"
