# Cells of an IHC image with their membranes, the score of the image, and the slide as a page shows it.
rule ihc_cells:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
        tissue="images/{image_id}/tissue.png",
        artefacts="images/{image_id}/artefacts.png",
        tiles="images/{image_id}/tiles.parquet",
    output:
        cells="images/{image_id}/ihc_cells.parquet",
        contours="images/{image_id}/ihc_contours.parquet",
    log:
        "logs/ihc_cells/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    threads: THREADS
    resources:
        mem_mb=1500,
    params:
        image=image,
        regions=regions,
        settings=settings("ihc_cells"),
        model=model,
        version=VERSION,
    shell:
        "her2path --verbose step ihc_cells --image {params.image:q} --slide {input.slide:q}"
        " --quality {input.quality:q} --tissue {input.tissue:q} --artefacts {input.artefacts:q}"
        " --tiles {input.tiles:q} {params.regions:q}"
        " --cells {output.cells:q} --contours {output.contours:q} --workers {threads}"
        " --params {params.settings:q} 2> {log:q}"


rule ihc_score:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
        cells="images/{image_id}/ihc_cells.parquet",
        contours="images/{image_id}/ihc_contours.parquet",
    output:
        score="images/{image_id}/ihc_score.json",
        geojson="images/{image_id}/cells.geojson",
        overlay="images/{image_id}/overlay.png",
        controls="images/{image_id}/controls.png",
        blocks="images/{image_id}/ihc_blocks.parquet",
        heterogeneity="images/{image_id}/heterogeneity_map.png",
        spots="images/{image_id}/hotspots.geojson",
        crops="images/{image_id}/hotspots.png",
    log:
        "logs/ihc_score/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        image=image,
        edits=lambda wildcards: edits(wildcards)["option"],
        edited=lambda wildcards: edits(wildcards)["sha256"],
        settings=settings("ihc_score"),
        version=VERSION,
    shell:
        "her2path --verbose step ihc_score --image {params.image:q} --slide {input.slide:q}"
        " --quality {input.quality:q} --cells {input.cells:q} --contours {input.contours:q}"
        " --score {output.score:q} --geojson {output.geojson:q} --overlay {output.overlay:q}"
        " --controls {output.controls:q}"
        " --blocks {output.blocks:q} --heterogeneity {output.heterogeneity:q}"
        " --spots {output.spots:q} --crops {output.crops:q} {params.edits:q} --params {params.settings:q} 2> {log:q}"


rule slide_view:
    input:
        slide="images/{image_id}/slide.json",
        spots="images/{image_id}/hotspots.geojson",
    output:
        view="images/{image_id}/view.tif",
    log:
        "logs/slide_view/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        image=image,
        regions=regions,
        settings=settings("slide_view"),
        version=VERSION,
    shell:
        "her2path --verbose step slide_view --image {params.image:q} --slide {input.slide:q}"
        " --spots {input.spots:q} {params.regions:q} --view {output.view:q} --params {params.settings:q} 2> {log:q}"


# Only slides that come as DICOM have objects that refer to them.
rule slide_dicom:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
        tissue="images/{image_id}/tissue.png",
        artefacts="images/{image_id}/artefacts.png",
        cells="images/{image_id}/ihc_cells.parquet",
        contours="images/{image_id}/ihc_contours.parquet",
        score="images/{image_id}/ihc_score.json",
    output:
        dicom=directory("images/{image_id}/dicom"),
    log:
        "logs/slide_dicom/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        image=image,
        regions=regions,
        edits=lambda wildcards: edits(wildcards)["option"],
        edited=lambda wildcards: edits(wildcards)["sha256"],
        settings=settings("slide_dicom"),
        version=VERSION,
    shell:
        "her2path --verbose step slide_dicom --image {params.image:q} --slide {input.slide:q}"
        " --quality {input.quality:q} --tissue {input.tissue:q} --artefacts {input.artefacts:q}"
        " --cells {input.cells:q} --contours {input.contours:q} --score {input.score:q} {params.regions:q}"
        " {params.edits:q} --dicom {output.dicom:q} --params {params.settings:q} 2> {log:q}"
