"""The labelled sample images: small, and those that the code writes."""

from her2path.cli.phantom_training import write_training_samples


def test_shipped_labelled_images_are_those_of_the_code(sample_data, tmp_path):
    write_training_samples(tmp_path)
    shipped = sample_data / "training"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in shipped.iterdir()}
    for path in [*tmp_path.glob("*.tsv"), *tmp_path.glob("*_mask.tif")]:
        assert path.read_bytes() == (shipped / path.name).read_bytes()
    # Identifiers of cells hold the digest of their image, so equal labels say that the images are equal too.
    for path in tmp_path.glob("*.geojson"):
        assert path.read_bytes() == (shipped / path.name).read_bytes()


def test_shipped_labelled_images_stay_under_3_mb(sample_data):
    assert sum(path.stat().st_size for path in (sample_data / "training").iterdir()) < 3e6
