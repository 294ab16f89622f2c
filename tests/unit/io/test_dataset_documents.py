"""An image is known by its digest, whatever has read it."""

from her2path.io.dataset_documents import image_sha256, joint_sha256
from her2path.io.files import sha256_of
from her2path.io.slides.opening import files_of


def test_a_slide_of_several_files_is_the_same_image_in_a_dataset_and_in_the_results_of_a_run(tmp_path):
    slide = tmp_path / "a.mrxs"
    slide.write_bytes(b"head")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Data0000.dat").write_bytes(b"pixels")
    listed = [sha256_of(file) for file in files_of(slide)]  # as slide.json lists them
    assert len(listed) == 2
    assert joint_sha256(listed) == image_sha256(slide) != listed[0]
