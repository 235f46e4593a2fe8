from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import find_objects, label

from nnbook.errors import NnbookError
from nnbook.evaluation.truth import true_classes
from nnbook.io.files import sha256
from nnbook.io.images import read_image, read_mask
from nnbook.io.manifest import CROPS, QUARTERS, read_manifest
from nnbook.simulation import dataset, nuclei
from nnbook.simulation import panorama as twin
from nnbook.simulation.dataset import make_panorama, panorama_stage, simulate_manifest, simulate_results, write_dataset
from nnbook.simulation.population import draw_imaging_conditions
from nnbook.values.published import DIAMETER_PX, PX_PER_UM

SEED = 7
PLACE = (SEED, 2, "BL", "top_right")
SMALL_PX = 320


def simulate(seed=SEED, run=2, quarter="BL", crop="top_right", side=SMALL_PX, **options):
    return twin.simulate_panorama(seed, run, quarter, crop, width_px=side, height_px=side, **options)


@pytest.fixture(scope="module")
def rendered():
    """Sixteen panoramas of 2048 px, each of another run: what was drawn for it, image, labels and truth."""
    panoramas = []
    for run in range(1, 17):
        place = (SEED, run, QUARTERS[run % 4], CROPS[run // 4 % 4])
        panoramas.append(
            (draw_imaging_conditions(*place), *twin.simulate_panorama(*place, width_px=2048, height_px=2048))
        )
    return panoramas


@pytest.fixture(scope="module")
def published(shared):
    return pd.read_csv(shared / "data/nucleusnet/results.csv")


@pytest.fixture(scope="module")
def drawn():
    return simulate_results(SEED, 100)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("twin")
    return out, write_dataset(out, SEED, runs=1, side_px=SMALL_PX, progress=False)


def decompose(table):
    """Standard deviations between runs, between quarters of a run and between crops of a quarter, in logarithms."""
    place = table["image"].str.extract(r"Run(?P<run>\d+)(?P<quarter>TL|TR|BL|BR)_")
    values = pd.DataFrame(
        {
            "count": np.log(table["num_rois"]),
            "mean": np.log(table["mean_intensity"]),
            "spread": np.log(table["std_intensity"] / table["mean_intensity"]),
        }
    )
    of_run = values.groupby(place["run"]).transform("mean")
    of_quarter = values.groupby([place["run"], place["quarter"]]).transform("mean")
    runs = place["run"].nunique()
    crop = ((values - of_quarter) ** 2).sum() / (12 * runs)
    quarter = ((of_quarter - of_run) ** 2).sum() / (3 * runs)
    run = ((of_run - values.mean()) ** 2).sum() / (runs - 1)
    levels = {"run": (run - quarter) / 16, "quarter": (quarter - crop) / 4, "crop": crop}
    return pd.DataFrame(levels).clip(lower=0) ** 0.5, (values - of_run).corr()


class TestCalibration:
    @pytest.mark.parametrize(
        ("column", "of_mean", "of_sd"),
        [("num_rois", 0.05, 0.12), ("mean_intensity", 0.03, 0.08), ("std_intensity", 0.03, 0.10)],
    )
    def test_moments(self, published, drawn, column, of_mean, of_sd):
        assert drawn[column].mean() == pytest.approx(published[column].mean(), rel=of_mean)
        assert drawn[column].std() == pytest.approx(published[column].std(), rel=of_sd)

    @pytest.mark.parametrize("column", ["num_rois", "mean_intensity", "std_intensity"])
    def test_quantiles(self, published, drawn, column):
        for share in (0.05, 0.25, 0.5, 0.75, 0.95):
            assert drawn[column].quantile(share) == pytest.approx(published[column].quantile(share), rel=0.10)

    def test_spread_between_and_within_runs(self, published, drawn):
        theirs, correlation = decompose(published)
        ours, own_correlation = decompose(drawn)
        pd.testing.assert_frame_equal(ours, theirs, rtol=0.25)
        assert own_correlation.loc["mean", "spread"] == pytest.approx(correlation.loc["mean", "spread"], abs=0.1)

    def test_correlations(self, published, drawn):
        columns = ["num_rois", "mean_intensity", "std_intensity"]
        theirs, ours = published[columns].corr(), drawn[columns].corr()
        assert ours.iloc[0, 1] == pytest.approx(theirs.iloc[0, 1], abs=0.12)
        assert ours.iloc[1, 2] == pytest.approx(theirs.iloc[1, 2], abs=0.02)

    def test_brightness_changes_with_the_row_of_the_coverslip(self, published, drawn):
        def rows(table):
            row = 2 * table["image"].str.contains(r"(?:BL|BR)_") + table["image"].str.contains("_bottom_")
            log = np.log(table["mean_intensity"])
            return (log - log.mean()).groupby(row).mean()

        np.testing.assert_allclose(rows(drawn), rows(published), atol=0.03)

    def test_ten_runs_span_what_a_hundred_do(self, published):
        means = [simulate_results(seed, 10)["mean_intensity"] for seed in range(6)]
        for drawn in means:
            assert drawn.mean() == pytest.approx(published["mean_intensity"].mean(), rel=0.12)
            assert drawn.std() == pytest.approx(published["mean_intensity"].std(), rel=0.30)

    def test_rendered_panoramas_have_what_was_drawn(self, rendered):
        ratios = []
        for conditions, image, labels, truth in rendered:
            inside = image[labels > 0]
            expected = conditions.per_mpx * image.size / 1e6
            assert abs(len(truth) - expected) <= 1
            ratios.append((inside.mean() / conditions.mean_grey, inside.std() / conditions.spread_grey))
        mean, spread = np.array(ratios).T
        np.testing.assert_allclose(mean, 1, atol=0.06)
        np.testing.assert_allclose(np.median(mean), 1, atol=0.015)
        np.testing.assert_allclose(np.median(spread), 1, atol=0.03)
        assert np.quantile(abs(spread - 1), 0.8) < 0.06

    def test_count_an_area_does_not_depend_on_the_size(self):
        conditions = draw_imaging_conditions(*PLACE)
        counts = [len(simulate(run=2, side=side)[2]) / (side**2 / 1e6) for side in (1024, 2048, 3000)]
        np.testing.assert_allclose(counts, conditions.per_mpx, atol=1.0)

    def test_nuclei_have_the_published_size(self, rendered):
        truth = pd.concat([panorama[3] for panorama in rendered])
        area = truth.loc[~truth["cut"] & (truth["class"] == "interphase"), "area_px"]
        assert 2 * np.sqrt(area.median() / np.pi) == pytest.approx(DIAMETER_PX, rel=0.06)


class TestTruth:
    def test_labels_are_consecutive_and_all_there(self, rendered):
        for _, _, labels, truth in rendered:
            found = np.unique(labels)
            np.testing.assert_array_equal(found, np.arange(len(truth) + 1))
            np.testing.assert_array_equal(truth["label"], found[1:])

    def test_table_describes_the_masks(self, rendered):
        _, _, labels, truth = rendered[3]
        for row in truth.to_dict("records"):
            y, x = np.nonzero(labels == row["label"])
            assert row["area_px"] == len(x)
            assert row["x_px"] == pytest.approx(x.mean(), abs=0.006)
            assert row["y_px"] == pytest.approx(y.mean(), abs=0.006)
            assert row["class"] in nuclei.CLASSES

    def test_whole_nuclei_have_their_components(self, rendered):
        several = 0
        for _, _, labels, truth in rendered:
            boxes = find_objects(labels)
            for row in truth[~truth["cut"]].to_dict("records"):
                own = labels[boxes[row["label"] - 1]] == row["label"]
                assert label(own, np.ones((3, 3)))[1] == row["components"], row
                several += row["components"] > 1
        assert several >= 3

    def test_touching_and_cut_are_what_the_masks_show(self, rendered):
        touching = 0
        for _, _, labels, truth in rendered:
            padded = np.pad(labels, 1)
            for row in truth.to_dict("records"):
                own = padded == row["label"]
                ring = np.zeros_like(own)
                y, x = np.nonzero(own)
                for dy in (-1, 0, 1):
                    for dx in (-1, 0, 1):
                        ring[y + dy, x + dx] = True
                others = padded[ring & ~own]
                assert row["touching"] == bool(others.any())
                on_frame = y.min() == 1 or x.min() == 1 or y.max() == len(labels) or x.max() == len(labels)
                assert row["cut"] >= on_frame
                touching += row["touching"]
        share = touching / sum(len(panorama[3]) for panorama in rendered)
        assert 0.03 < share < 0.16

    def test_classes_come_in_their_shares(self):
        rng = np.random.default_rng(SEED)
        kinds = pd.Series([nuclei.draw_class(rng) for _ in range(4000)]).value_counts(normalize=True)
        assert set(kinds.index) == set(nuclei.CLASSES)
        assert kinds[list(nuclei.MITOSES)].sum() == pytest.approx(0.03, abs=0.01)

    def test_background_is_dark_uneven_and_noisy(self, rendered):
        for conditions, image, labels, _ in rendered:
            outside = image[labels == 0]
            assert 0 < outside.mean() < conditions.mean_grey / 3
            assert outside.std() > 0.5


class TestDeterminism:
    def test_same_seed_same_panorama(self):
        first, second = simulate(), simulate()
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
        pd.testing.assert_frame_equal(first[2], second[2])

    @pytest.mark.parametrize("other", [{"seed": 8}, {"run": 3}, {"quarter": "BR"}, {"crop": "top_left"}])
    def test_another_place_is_another_panorama(self, other):
        assert (simulate()[0] != simulate(**other)[0]).mean() > 0.3

    def test_strips_leave_no_trace(self, monkeypatch):
        whole = simulate(side=700)
        monkeypatch.setattr(twin, "STRIP_PX", 96)
        strips = simulate(side=700)
        np.testing.assert_array_equal(whole[0], strips[0])
        np.testing.assert_array_equal(whole[1], strips[1])

    def test_another_pixel_size_scales_the_nuclei(self):
        truth = simulate(side=1024, px_per_um=PX_PER_UM / 2)[2]
        area = truth.loc[~truth["cut"], "area_px"].median()
        assert 2 * np.sqrt(area / np.pi) == pytest.approx(DIAMETER_PX / 2, rel=0.2)

    def test_types(self):
        image, labels, truth = simulate()
        assert image.dtype == np.uint8
        assert labels.dtype == np.int32
        assert list(truth.columns) == list(twin.TRUTH_COLUMNS)


class TestWriting:
    def test_manifest_is_valid_and_pinned(self, written):
        out, rows = written
        assert read_manifest(out / "manifest.csv") == rows
        assert len(rows) == 16
        for row in rows:
            assert row.image_sha256 == sha256(out / row.image)
            assert row.source == f"twin:{SEED}"

    def test_files_hold_the_panorama_simulated_alone(self, written):
        out, rows = written
        row = rows[9]
        image, labels, truth = simulate(SEED, row.run, row.quarter, row.crop)
        np.testing.assert_array_equal(read_image(out / row.image), image)
        np.testing.assert_array_equal(read_mask(out / f"truth/{row.panorama}.tif"), labels)
        table = pd.read_csv(out / "truth.csv")
        own = table[table["panorama"] == row.panorama].drop(columns="panorama").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, truth)

    def test_truth_covers_every_panorama(self, written):
        out, rows = written
        counts = pd.read_csv(out / "truth.csv").groupby("panorama").size()
        for row in rows:
            assert counts.get(row.panorama, 0) == read_mask(out / f"truth/{row.panorama}.tif").max()

    def test_interrupted_and_run_again_makes_only_what_is_missing(self, tmp_path, written, monkeypatch):
        made = []
        simulate_panorama = twin.simulate_panorama

        def interrupted(*place, **size):
            if len(made) == 5:
                raise KeyboardInterrupt
            made.append(place)
            return simulate_panorama(*place, **size)

        monkeypatch.setattr(dataset, "simulate_panorama", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_dataset(tmp_path, SEED, runs=1, side_px=SMALL_PX, processes=1, progress=False)
        monkeypatch.setattr(
            dataset,
            "simulate_panorama",
            lambda *place, **size: (made.append(place), simulate_panorama(*place, **size))[1],
        )
        rows = write_dataset(tmp_path, SEED, runs=1, side_px=SMALL_PX, processes=1, progress=False)
        assert len(made) == len(set(made)) == 16
        assert rows == written[1]
        for name in ("manifest.csv", "truth.csv", *(f"truth/{row.panorama}.tif" for row in rows)):
            assert (tmp_path / name).read_bytes() == (written[0] / name).read_bytes()

    def test_a_missing_truth_mask_is_made_again(self, tmp_path):
        panorama = simulate_manifest(SEED, 1, SMALL_PX)[0]
        make_panorama(panorama, panorama_stage(panorama, tmp_path))
        mask = tmp_path / f"truth/{panorama.panorama}.tif"
        before = mask.read_bytes()
        mask.unlink()
        make_panorama(panorama, panorama_stage(panorama, tmp_path))
        assert mask.read_bytes() == before

    def test_classes_are_those_of_the_truth_whatever_the_labels(self, tmp_path):
        row, out = simulate_manifest(SEED, 1, 1200)[0], tmp_path
        make_panorama(row, panorama_stage(row, out))
        truth = pd.read_csv(out / f"truth/{row.panorama}.csv").set_index("label")["class"]
        labels = read_mask(out / f"truth/{row.panorama}.tif")
        segmented = np.where(labels > 1, 900 - labels, 0).astype(np.int32)  # others' numbers, and the first one missed
        assert len(truth) > 1
        expected = {900 - label: kind for label, kind in truth.items() if label > 1}
        assert true_classes(segmented, out / "truth" / f"{row.panorama}.tif") == expected

    def test_another_twin_is_not_written_over(self, written):
        out, rows = written
        with pytest.raises(NnbookError, match="another twin"):
            write_dataset(out, SEED + 1, runs=1, side_px=SMALL_PX, progress=False)
        assert read_manifest(out / "manifest.csv") == rows


class TestManifest:
    def test_names_passages_and_paths(self):
        rows = simulate_manifest(SEED, 100, 2048)
        assert len(rows) == 1600
        assert rows[0].panorama == "Run1TL_top_left"
        assert rows[-1].panorama == "Run100BR_bottom_right"
        assert len({row.passage for row in rows}) == 21
        assert rows[0].passage == "P12"
        assert all(row.image == f"panoramas/{row.panorama}.tif" and not row.mask for row in rows)

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [((SEED, 0, 2048), "runs is 0"), ((SEED, 1, 100), "side_px is 100"), ((-1, 1, 2048), "seed is -1")],
    )
    def test_bad_sizes_are_named(self, arguments, named):
        with pytest.raises(NnbookError, match=named) as caught:
            simulate_manifest(*arguments)
        assert "\n" not in str(caught.value)

    def test_bad_places_are_named(self):
        with pytest.raises(NnbookError, match="quarter 'XX'"):
            simulate(quarter="XX")
        with pytest.raises(NnbookError, match="crop 'middle'"):
            simulate(crop="middle")
        with pytest.raises(NnbookError, match="run is 0"):
            simulate(run=0)
        with pytest.raises(NnbookError, match="px_per_um is 0"):
            simulate(px_per_um=0)

    def test_rows_of_another_source_are_refused(self, tmp_path):
        row = replace(simulate_manifest(SEED, 1, SMALL_PX)[0], source="")
        with pytest.raises(NnbookError, match="twin:SEED"):
            panorama_stage(row, tmp_path)
