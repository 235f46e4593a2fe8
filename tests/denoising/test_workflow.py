import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from drawn_noise import discs

from nnbook.cli import main
from nnbook.denoising import workflow
from nnbook.denoising.denoiser import Denoiser, DenoisingSettings, train_denoiser
from nnbook.denoising.workflow import denoise_files
from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.images import read_image, write_image
from nnbook.io.scale import image_scale
from nnbook.provenance.stage import read_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = DenoisingSettings(steps=2, batch=1, patch_px=32)


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Path]:
    files = {name: tmp_path / "images" / f"{name}.tif" for name in ("a", "b")}
    for number, path in enumerate(files.values()):
        write_image(path, discs(64, number)[1], px_per_um=8.0453)
    return files


def test_copies_have_type_and_scale_and_a_record(images: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert denoise_files(images, out, FEW) == [out / "a.tif", out / "b.tif"]
    for name, path in images.items():
        noisy, made = read_image(path), read_image(out / f"{name}.tif")
        assert (made.dtype, made.shape) == (noisy.dtype, noisy.shape)
        assert not np.array_equal(noisy, made)
        assert image_scale(out / f"{name}.tif") == 8.0453
        record = read_record(out / f"{name}.json")
        assert record is not None
        assert record["files"].keys() == {f"../images/{name}.tif", "denoiser.pt"}
    record = read_record(out / "denoiser.pt.json")
    assert record is not None
    assert record["settings"]["steps"] == 2
    assert {path.name for path in out.iterdir()} == {
        "a.tif", "a.json", "b.tif", "b.json", "denoiser.pt", "denoiser.pt.json",
    }  # fmt: skip


def test_only_what_changed_is_made_again(
    images: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    denoise_files(images, out, FEW)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tif")}
    monkeypatch.setattr(workflow, "train_denoiser", None)  # would fail
    denoise_files(images, out, FEW)
    write_image(images["b"], discs(64, 9)[1])
    denoise_files(images, out, model=out / "denoiser.pt")
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tif")}
    assert after["a.tif"] == before["a.tif"]
    assert after["b.tif"] != before["b.tif"]


def test_an_interruption_leaves_nothing_half_written_and_no_training_twice(
    images: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def interrupted(path: Path, image: Any, **_: Any) -> None:
        if path.name == "b.tif":
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        write_image(path, image)

    with monkeypatch.context() as patched:
        patched.setattr(workflow, "write_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            denoise_files(images, out, FEW)
    assert {path.name for path in out.iterdir()} == {"a.tif", "a.json", "denoiser.pt", "denoiser.pt.json"}
    monkeypatch.setattr(workflow, "train_denoiser", None)  # would fail
    assert len(denoise_files(images, out, FEW)) == 2


def test_noisy_images_are_never_replaced(images: dict[str, Path]) -> None:
    with pytest.raises(InvalidValueError, match=r"out is .*where a\.tif is") as caught:
        denoise_files(images, images["a"].parent, FEW)
    assert caught.value.parameters == ("out",)


def test_each_file_at_fault_is_named(images: dict[str, Path], tmp_path: Path) -> None:
    bad: dict[str, NDArray[Any]] = {
        "nan": np.full((64, 64), np.nan, np.float32),
        "flat": np.full((64, 64), 9, np.uint8),
    }
    bad |= {"small": discs(20)[1], "rgb": np.random.default_rng(1).integers(255, size=(64, 64, 3), dtype=np.uint8)}
    for name, image in bad.items():
        images[name] = tmp_path / "images" / f"{name}.tif"
        tifffile.imwrite(images[name], image)
    with pytest.raises(NnbookError) as caught:
        denoise_files(images, tmp_path / "out", FEW)
    lines = str(caught.value).splitlines()
    assert [Path(line.partition(": ")[0]).stem for line in lines] == ["nan", "flat", "small", "rgb"]
    assert not (tmp_path / "out" / "denoiser.pt").exists()


def test_pixels_beyond_the_type_are_said(
    images: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_dark(*arguments: Any) -> Denoiser:
        trained = train_denoiser(*arguments)
        trained.network.last.bias.data[:] = -1e4
        return trained

    monkeypatch.setattr(workflow, "train_denoiser", too_dark)
    denoise_files({"a": images["a"]}, tmp_path / "out", FEW)
    assert "a.tif: 4,096 px of it are beyond the range of its type" in capsys.readouterr().err


def test_the_command_denoises_and_says_errors_by_option(
    images: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = str(images["a"].parent), str(tmp_path / "out")
    assert main(["denoise", folder, "--out", folder]) == 1
    assert "nnbook denoise: --out is" in capsys.readouterr().err
    assert main(["denoise", folder, "--out", out, "--steps", "0"]) == 1
    assert "--steps is 0" in capsys.readouterr().err
    assert main(["denoise", folder, "--out", out, "--steps", "1", "--json"]) == 0
    assert [Path(path).name for path in json.loads(capsys.readouterr().out)["images"]] == ["a.tif", "b.tif"]
