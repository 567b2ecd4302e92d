import json
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import BundleError, ForecastError
from models.forecasters.drift import Drift
from models.forecasters.ensemble import Ensemble
from models.forecasters.forecaster import ForecastRequest
from models.game.game_state import GameState
from models.training.bundle import FORMAT_VERSION, Bundle
from models.training.training import Trained
from tests.models.calibration.test_learned_game import learned
from tests.models.conftest import SHIPPED_BUNDLE

FILES = [
    "MODEL_CARD.md",
    "bundle.json",
    "drift.safetensors",
    "errors.parquet",
    "library.parquet",
    "lstm.safetensors",
    "parameters.json",
]
REQUEST = ForecastRequest(
    state=GameState.of_pattern([float(margin) for margin in range(18)], -1),
    home_team="BOS",
    away_team="MIA",
)


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    trained.bundle.save(tmp_path / "bundle", "# card\n")
    return tmp_path / "bundle"


def test_what_is_saved_loads_as_it_was(trained: Trained, folder: Path) -> None:
    saved, loaded = trained.bundle, Bundle.load(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for part in (
        "model_version",
        "split",
        "dejavu_settings",
        "lstm_settings",
        "ensemble",
        "strength",
        "calibration_settings",
    ):
        assert getattr(loaded, part) == getattr(saved, part)
    for name, tensor in saved.drift.tensors().items():
        assert loaded.drift.tensors()[name].tobytes() == tensor.tobytes()
    assert loaded.network.keys() == saved.network.keys()
    for name, tensor in saved.network.items():
        assert loaded.network[name].tobytes() == tensor.tobytes()
    for name in ("dejavu", "lstm", "persistence", "date"):
        assert (getattr(loaded.errors, name) == getattr(saved.errors, name)).all()
    assert loaded.library.expected_margins.tobytes() == saved.library.expected_margins.tobytes()
    for column in fields(saved.library.games):
        one, other = (getattr(bundle.library.games, column.name) for bundle in (saved, loaded))
        assert one.dtype == other.dtype
        assert (one == other).all()
    assert loaded.forecaster.forecast([REQUEST]) == saved.forecaster.forecast([REQUEST])


def test_saved_again_it_has_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    Bundle.load(folder).save(tmp_path / "again", "# card\n")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_the_version_names_the_content(trained: Trained, folder: Path) -> None:
    version = trained.bundle.model_version
    assert version.startswith("nba-2014-")
    assert Bundle.load(folder).content_version() == version


def test_other_content_has_another_version(trained: Trained) -> None:
    bundle = trained.bundle
    errors = replace(bundle.errors, lstm=bundle.errors.lstm + 0.01)
    drift = Drift(bundle.drift.possession + 1e-9, bundle.drift.coefficients)
    others = [
        replace(bundle, ensemble=Ensemble(0.25, 0.75)),
        replace(bundle, errors=errors),
        replace(bundle, drift=drift),
        replace(bundle, dejavu_settings=replace(bundle.dejavu_settings, prior_games=1.0)),
        replace(bundle, network={**bundle.network, "head.bias": np.ones(2, dtype=np.float32)}),
        replace(bundle, calibration_settings=replace(bundle.calibration_settings, window=99)),
        replace(bundle, strength=bundle.strength.after([learned().finished()])),
    ]
    versions = {other.content_version() for other in others}
    assert len(versions) == len(others)
    assert bundle.model_version not in versions


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


@pytest.mark.parametrize("version", [1, 99, None, "2"])
def test_another_format_version_says_what_to_do(folder: Path, version: object) -> None:
    change_manifest(folder, format_version=version)
    with pytest.raises(
        BundleError, match=rf"format_version {FORMAT_VERSION}; got {version!r}\. Train the bundle"
    ):
        Bundle.load(folder)


def test_a_manifest_without_its_files_is_refused(folder: Path) -> None:
    change_manifest(folder, files={})
    with pytest.raises(BundleError, match="are not listed"):
        Bundle.load(folder)


def test_a_manifest_without_its_seasons_is_refused(folder: Path) -> None:
    change_manifest(folder, seasons={})
    with pytest.raises(BundleError, match="KeyError"):
        Bundle.load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '"bundle"'])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / "bundle.json").write_text(content)
    with pytest.raises(BundleError, match=r"scripts/train\.py"):
        Bundle.load(folder)


def test_a_folder_that_is_no_bundle_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"Train one with scripts/train\.py"):
        Bundle.load(tmp_path)


def test_a_forecast_on_the_cpu_imports_no_torch(folder: Path) -> None:
    code = (
        "import sys; from models.training.bundle import Bundle; bundle = Bundle.load(sys.argv[1]);"
        "from models.forecasters.forecaster import ForecastRequest;"
        "from models.game.game_state import GameState;"
        "request = ForecastRequest(state=GameState.of_pattern([0.0] * 18));"
        "bundle.load_forecaster('cpu').forecast([request], similar=3);"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=120)


def test_other_weights_get_an_interval_of_their_own(trained: Trained) -> None:
    bundle = trained.bundle
    original = bundle.with_weights("original")
    assert original.ensemble == Ensemble(0.4, 0.6)
    assert original.model_version == f"{bundle.model_version}+0.4-0.6"
    errors = 0.4 * bundle.errors.dejavu + 0.6 * bundle.errors.lstm
    weights = 0.5 ** (np.arange(len(errors) - 1, -1, -1) / 600.0)
    expected = np.sqrt(np.average(errors**2, axis=0, weights=weights))
    assert original.calibration.spreads == pytest.approx(expected)
    forecaster = original.load_forecaster("cpu")
    (forecast,) = forecaster.forecast([REQUEST])
    assert (forecast.dejavu_weight, forecast.lstm_weight) == (0.4, 0.6)
    assert forecast.calibration_version == f"{original.model_version}+0"
    assert forecast.distribution.spread == original.calibration.spreads[18]
    with pytest.raises(ForecastError, match="expected one of"):
        bundle.with_weights("best")


def test_the_persistence_calibration_is_of_persistence(trained: Trained) -> None:
    bundle = trained.bundle
    weights = 0.5 ** (np.arange(len(bundle.errors) - 1, -1, -1) / 600.0)
    assert bundle.persistence.spreads == pytest.approx(
        np.sqrt(np.average(bundle.errors.persistence**2, axis=0, weights=weights))
    )


def test_an_adaptation_that_is_given_is_used_even_while_it_is_empty(trained: Trained) -> None:
    bundle = trained.bundle
    adaptation = bundle.adaptation()
    assert bundle.combiner(adaptation).adaptation is adaptation
    assert bundle.load_forecaster("cpu", adaptation).adaptation is adaptation
    # What one learns, another one does not.
    adaptation.learn([learned()])
    assert bundle.combiner().adaptation.before(None).games == 0


def test_the_shipped_bundle_is_small_and_knows_what_it_saw(shipped: Bundle) -> None:
    assert sum(path.stat().st_size for path in SHIPPED_BUNDLE.iterdir()) < 12e6
    assert sorted(path.name for path in SHIPPED_BUNDLE.iterdir()) == FILES
    assert shipped.content_version() == shipped.model_version
    assert shipped.split.until == 2023
    assert shipped.split.before == "2024-04-14"
    held_out = np.datetime64("2024-04-14")
    assert shipped.library.games.date.max() < held_out
    assert shipped.errors.date.max() < held_out
    assert shipped.strength.day is not None
    assert np.datetime64(shipped.strength.day) < held_out
    card = (SHIPPED_BUNDLE / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert shipped.model_version in card
    assert "Games of 2024-04-14 and later were left out of everything." in card
    assert "MIT" in card


def test_a_copied_bundle_loads(tmp_path: Path, shipped: Bundle) -> None:
    shutil.copytree(SHIPPED_BUNDLE, tmp_path / "copy")
    assert Bundle.load(tmp_path / "copy").model_version == shipped.model_version
