from pathlib import Path

from nnbook.io.inputs import manifest_images
from nnbook.io.manifest import Panorama, write_manifest


def test_masks_are_named_after_panoramas(tmp_path: Path) -> None:
    row = Panorama("Run1TL_top_left", 1, "TL", "top_left", "", "raw/x.tif", "", 10, 10, 8.0453, "", "")
    write_manifest(tmp_path / "manifest.csv", [row])
    assert manifest_images(tmp_path / "manifest.csv") == {"Run1TL_top_left": tmp_path / "raw" / "x.tif"}
