# What an image is, and where it can be measured (IHC and FISH alike).
rule slide_intake:
    output:
        slide="images/{image_id}/slide.json",
    log:
        "logs/slide_intake/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        image=image,
        fingerprint=fingerprint,
        row=row,
        settings=settings("slide_intake"),
        version=VERSION,
    shell:
        "her2path --verbose step slide_intake --image {params.image:q} --row {params.row:q}"
        " --slide {output.slide:q} --params {params.settings:q} 2> {log:q}"


rule slide_quality:
    input:
        slide="images/{image_id}/slide.json",
    output:
        quality="images/{image_id}/quality.json",
        tissue="images/{image_id}/tissue.png",
        artefacts="images/{image_id}/artefacts.png",
        areas="images/{image_id}/quality.geojson",
        picture="images/{image_id}/quality.png",
    log:
        "logs/slide_quality/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        image=image,
        regions=regions,
        settings=settings("slide_quality"),
        version=VERSION,
    shell:
        "her2path --verbose step slide_quality --image {params.image:q} --slide {input.slide:q}"
        " {params.regions:q} --quality {output.quality:q} --tissue {output.tissue:q}"
        " --artefacts {output.artefacts:q} --areas {output.areas:q} --picture {output.picture:q}"
        " --params {params.settings:q} 2> {log:q}"


rule slide_tiles:
    input:
        slide="images/{image_id}/slide.json",
        quality="images/{image_id}/quality.json",
        tissue="images/{image_id}/tissue.png",
    output:
        tiles="images/{image_id}/tiles.parquet",
    log:
        "logs/slide_tiles/{image_id}.log",
    conda:
        "../envs/her2path.yaml"
    params:
        regions=regions,
        settings=settings("slide_tiles"),
        version=VERSION,
    shell:
        "her2path --verbose step slide_tiles --slide {input.slide:q} --quality {input.quality:q}"
        " --tissue {input.tissue:q} {params.regions:q} --tiles {output.tiles:q}"
        " --params {params.settings:q} 2> {log:q}"
