import json
import math
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Bundle
from models.errors import BundleError
from models.forecaster import ForecastRequest
from models.training import Trained

from .conftest import SHIPPED_BUNDLE

FILES = [
    "MODEL_CARD.md",
    "bundle.json",
    "calibration.safetensors",
    "library.parquet",
    "lstm.safetensors",
    "parameters.json",
]


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    trained.bundle.save(tmp_path / "bundle", "# card\n")
    return tmp_path / "bundle"


def test_what_is_saved_loads_as_it_was(trained: Trained, folder: Path) -> None:
    saved, loaded = trained.bundle, Bundle.load(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for part in ("model_version", "split", "dejavu_settings", "lstm_settings", "ensemble"):
        assert getattr(loaded, part) == getattr(saved, part)
    assert loaded.strength == saved.strength
    assert (loaded.conformal.scores == saved.conformal.scores).all()
    assert (loaded.persistence.scores == saved.persistence.scores).all()
    assert (loaded.library.expected_margins == saved.library.expected_margins).all()
    for column in fields(saved.library.games):
        one, other = (getattr(bundle.library.games, column.name) for bundle in (saved, loaded))
        assert one.dtype == other.dtype
        assert (one == other).all()
    request = ForecastRequest(pattern=list(range(18)), home_team="BOS", away_team="MIA")
    assert loaded.forecaster.forecast([request]) == saved.forecaster.forecast([request])


def test_the_version_names_the_content(trained: Trained, folder: Path) -> None:
    version = trained.bundle.model_version
    assert version.startswith("nba-2014-")
    assert Bundle.load(folder).content_version() == version


@pytest.mark.parametrize("name", [name for name in FILES if name != "bundle.json"])
def test_a_damaged_file_is_named(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BundleError, match=f"{name}: expected sha256 .* damaged or was edited"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        Bundle.load(folder)


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_another_format_version_says_what_to_do(folder: Path) -> None:
    change_manifest(folder, format_version=99)
    with pytest.raises(BundleError, match=r"format_version 1; got 99\. Train the bundle"):
        Bundle.load(folder)


def test_a_manifest_without_its_files_is_refused(folder: Path) -> None:
    change_manifest(folder, files={})
    with pytest.raises(BundleError, match="are not listed"):
        Bundle.load(folder)


def test_a_manifest_without_its_seasons_is_refused(folder: Path) -> None:
    change_manifest(folder, seasons={})
    with pytest.raises(BundleError, match="KeyError"):
        Bundle.load(folder)


def test_a_folder_that_is_no_bundle_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"Train one with scripts/train\.py"):
        Bundle.load(tmp_path)


def test_nothing_but_the_lstm_imports_torch() -> None:
    code = (
        "import sys; from models.bundle import Bundle; bundle = Bundle.load(sys.argv[1]);"
        "bundle.load_dejavu().forecast([[0.0] * 18], [0.0]); bundle.combiner;"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(SHIPPED_BUNDLE)], check=True, timeout=120)


def test_the_shipped_bundle_is_small_and_knows_what_it_saw(shipped: Bundle) -> None:
    assert sum(path.stat().st_size for path in SHIPPED_BUNDLE.iterdir()) < 12e6
    assert sorted(path.name for path in SHIPPED_BUNDLE.iterdir()) == FILES
    assert shipped.content_version() == shipped.model_version
    assert shipped.split.until == 2023
    assert shipped.split.hold_out == "2024-04-14"
    assert np.datetime64("2024-04-14") not in shipped.library.games.date
    card = (SHIPPED_BUNDLE / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert shipped.model_version in card
    assert "2024-04-14 were left out" in card
    assert "MIT" in card


def test_a_copied_bundle_loads(tmp_path: Path, shipped: Bundle) -> None:
    shutil.copytree(SHIPPED_BUNDLE, tmp_path / "copy")
    assert Bundle.load(tmp_path / "copy").model_version == shipped.model_version


def test_other_weights_get_an_interval_of_their_own(shipped: Bundle) -> None:
    original = shipped.with_weights("original")
    calibration = shipped.calibration
    errors = np.abs(calibration.actual - (0.4 * calibration.dejavu + 0.6 * calibration.lstm))
    assert (original.ensemble.dejavu_weight, original.ensemble.lstm_weight) == (0.4, 0.6)
    assert (
        original.conformal.half_width(0.05)
        == np.sort(errors)[math.ceil(0.95 * (len(errors) + 1)) - 1]
    )
    assert original.model_version == f"{shipped.model_version}+0.4-0.6"
    assert original.forecaster.ensemble == original.ensemble
    assert original.forecaster.conformal is original.conformal
