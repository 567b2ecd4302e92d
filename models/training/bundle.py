"""The bundle: everything trained, as one folder of plain data with a manifest and a model card."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from models.calibration.adaptation import Adaptation
from models.calibration.calibration import Calibration, CalibrationSettings
from models.calibration.error_log import ErrorLog
from models.errors import BundleError, ForecastError
from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.device import Device
from models.forecasters.drift import Drift
from models.forecasters.ensemble import Ensemble
from models.forecasters.forecaster import Combiner, Forecaster
from models.forecasters.library import Library
from models.forecasters.lstm import Lstm, load_lstm
from models.ratings.strength import TeamStrength

FORMAT_VERSION = 2
MANIFEST, LIBRARY, ERRORS = "bundle.json", "library.parquet", "errors.parquet"
NETWORK, DRIFT = "lstm.safetensors", "drift.safetensors"
PARAMETERS, CARD = "parameters.json", "MODEL_CARD.md"

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which seasons (starting years) taught what; each list is later than the one before it.

    `before` is the day (YYYY-MM-DD) from which on no game was used, None where none was left out.
    """

    train: tuple[int, ...]
    weights: tuple[int, ...]
    calibration: tuple[int, ...]
    before: str | None = None

    @property
    def until(self) -> int:
        """The last season that anything in the bundle has seen."""
        return self.calibration[-1]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What was trained. `load` reads a folder; the parts are built when first asked for."""

    model_version: str
    split: Split
    library: Library
    drift: Drift
    dejavu_settings: DejavuSettings
    network: Arrays
    lstm_settings: Mapping[str, int]
    strength: TeamStrength
    ensemble: Ensemble
    errors: ErrorLog
    calibration_settings: CalibrationSettings = field(default_factory=CalibrationSettings)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read a bundle folder and verify every file against the manifest.

        Raises BundleError on a missing or damaged file, or one of another format version; the
        message says what to do.
        """
        folder = Path(folder)
        manifest = _read_manifest(folder)
        for name, digest in manifest["files"].items():
            _verify(folder / name, digest)
        try:
            return cls._from_files(folder, manifest)
        except (KeyError, TypeError, ForecastError, SafetensorError, pa.ArrowInvalid) as error:
            raise BundleError(
                f"{folder}: expected a bundle of format {FORMAT_VERSION}; "
                f"{type(error).__name__}: {error}. Train it again with scripts/train.py"
            ) from error

    @classmethod
    def _from_files(cls, folder: Path, manifest: Mapping[str, Any]) -> Self:
        parameters = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
        seasons = manifest["seasons"]
        return cls(
            model_version=manifest["model_version"],
            split=Split(
                train=tuple(seasons["train"]),
                weights=tuple(seasons["weights"]),
                calibration=tuple(seasons["calibration"]),
                before=manifest["before"],
            ),
            library=Library.from_table(pq.read_table(folder / LIBRARY)),
            drift=Drift(**load_file(folder / DRIFT)),
            dejavu_settings=DejavuSettings(**parameters["dejavu"]),
            network=load_file(folder / NETWORK),
            lstm_settings=parameters["lstm"],
            strength=TeamStrength.from_state(parameters["strength"]),
            ensemble=Ensemble(**parameters["ensemble"]),
            errors=ErrorLog.from_table(pq.read_table(folder / ERRORS)),
            calibration_settings=CalibrationSettings(**parameters["calibration"]),
        )

    def save(self, folder: Path | str, card: str) -> None:
        """Write the folder, with `card` as its model card; the same bundle gives the same bytes."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        contents = self._contents()
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        for name, table in self._tables().items():
            pq.write_table(table, folder / name, compression="zstd")
        (folder / CARD).write_text(card, encoding="utf-8")
        names = sorted([*contents, *self._tables(), CARD])
        manifest = {
            "format_version": FORMAT_VERSION,
            "model_version": self.model_version,
            "seasons": {
                "train": self.split.train,
                "weights": self.split.weights,
                "calibration": self.split.calibration,
            },
            "before": self.split.before,
            "files": {name: _digest((folder / name).read_bytes()) for name in names},
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")

    def content_version(self, league: str = "nba") -> str:
        """A name made of the league, the last season and a hash of all that was trained."""
        digest = hashlib.sha256()
        for content in self._contents().values():
            digest.update(content)
        for table in self._tables().values():
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
            digest.update(sink.getvalue().to_pybytes())
        return f"{league}-{self.split.until}-{digest.hexdigest()[:8]}"

    def _contents(self) -> dict[str, bytes]:
        """The files that are written from memory, by name."""
        parameters = {
            "dejavu": asdict(self.dejavu_settings),
            "ensemble": asdict(self.ensemble),
            "lstm": dict(self.lstm_settings),
            "calibration": asdict(self.calibration_settings),
            "strength": self.strength.to_state(),
        }
        return {
            PARAMETERS: (json.dumps(parameters, indent=1) + "\n").encode(),
            DRIFT: save(self.drift.tensors()),
            NETWORK: save(self.network),
        }

    def _tables(self) -> dict[str, pa.Table]:
        """The files that are tables, by name."""
        return {LIBRARY: self.library.to_table(), ERRORS: self.errors.to_table()}

    def with_weights(self, weights: Sequence[float] | str) -> Self:
        """This bundle with other ensemble weights, its interval calibrated for them.

        Raises ForecastError where they are no weights.
        """
        ensemble = Ensemble.from_weights(weights)
        version = f"{self.model_version}+{ensemble.dejavu_weight:g}-{ensemble.lstm_weight:g}"
        return replace(self, ensemble=ensemble, model_version=version)

    @cached_property
    def calibration(self) -> Calibration:
        """The calibration of the ensemble, as training left it."""
        return self.errors.calibration(self.ensemble, self.calibration_settings)

    @cached_property
    def persistence(self) -> Calibration:
        """The calibration of the baseline: the margin stays."""
        return self.errors.persistence_calibration(self.calibration_settings)

    def adaptation(self) -> Adaptation:
        """A new adaptation, which has learned no game yet."""
        return Adaptation(self.strength, self.calibration, self.ensemble, self.model_version)

    @cached_property
    def dejavu(self) -> Dejavu:
        """The search over the library."""
        return self.load_dejavu()

    @cached_property
    def lstm(self) -> Lstm:
        """The network on the best device there is."""
        return self.load_lstm()

    @cached_property
    def forecaster(self) -> Forecaster:
        """Everything in one process, as training left it."""
        return self.load_forecaster()

    def load_dejavu(self) -> Dejavu:
        """Build the search."""
        return Dejavu(self.library, self.drift, self.dejavu_settings)

    def load_lstm(self, device: Device = "auto") -> Lstm:
        """Build the network on `device`."""
        return load_lstm(self.network, self.lstm_settings, self.drift, device)

    def combiner(self, adaptation: Adaptation | None = None) -> Combiner:
        """Ensemble, ratings and calibration, without the models."""
        return Combiner(
            adaptation=self.adaptation() if adaptation is None else adaptation,
            ensemble=self.ensemble,
            model_version=self.model_version,
        )

    def load_forecaster(
        self, device: Device = "auto", adaptation: Adaptation | None = None
    ) -> Forecaster:
        """Everything in one process, the network on `device`."""
        return Forecaster(
            adaptation=self.adaptation() if adaptation is None else adaptation,
            ensemble=self.ensemble,
            model_version=self.model_version,
            dejavu=self.dejavu,
            lstm=self.load_lstm(device),
        )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{folder}: expected a bundle folder with {MANIFEST}; {error}. "
            "Train one with scripts/train.py, or point to one in models/bundles/"
        ) from error
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if version != FORMAT_VERSION:
        raise BundleError(
            f"{path}: expected format_version {FORMAT_VERSION}; got {version!r}. "
            "Train the bundle again with this version of scripts/train.py"
        )
    needed = {LIBRARY, ERRORS, NETWORK, DRIFT, PARAMETERS}
    missing = sorted(needed - set(manifest.get("files", ())))
    if missing:
        raise BundleError(f"{path}: expected the files {sorted(needed)}; {missing} are not listed")
    return dict(manifest)


def _verify(path: Path, digest: str) -> None:
    try:
        found = _digest(path.read_bytes())
    except OSError as error:
        raise BundleError(
            f"{path}: expected a file of the bundle; {error}. Copy it again"
        ) from error
    if found != digest:
        raise BundleError(
            f"{path}: expected sha256 {digest}; got {found}. The file is damaged or was edited: "
            "copy the bundle again or train it again with scripts/train.py"
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
