import asyncio
import datetime
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.forecasters.device import Device
from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.forecasters.live_models import DejavuForecast, ask_dejavu, ask_lstm
from models.forecasters.lstm import Lstm
from models.game.game_state import GameState
from models.game.horizon import HORIZONS
from models.training.bundle import Bundle
from serve_app.model.forecasting import DejavuQuestion, LstmQuestion
from serve_app.model.model_shelf import ModelShelf
from serve_app.model.served_model import TIP_OFF, ServedModel, load_bundle
from serve_app.settings import Settings
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.store import Store
from tests.serve_app.small_bundles import DAY, ended_game, put_ended, saved, small

LATER = DAY + datetime.timedelta(days=1)
REQUESTS = [
    ForecastRequest(
        state=GameState.of_pattern([2.0, 1.0, 4.0, *range(minutes)]),
        horizon=horizon,
        home_team="BOS",
        away_team="LAL",
        date=LATER,
    )
    for minutes in (3, 9, 15)
    for horizon in HORIZONS
]


@pytest.fixture(scope="module")
def one(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(small(bundle, 0.5), tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def two(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(small(bundle, 0.25), tmp_path_factory.mktemp("two"))


@pytest.fixture
def settings(one: Path, tmp_path: Path) -> Settings:
    return Settings(bundle=one, data_dir=tmp_path / "data", placement="fused", device="cpu")


@pytest.fixture
def model(settings: Settings, store: Store) -> ServedModel:
    return ServedModel(settings, store)


def version(folder: Path) -> str:
    return Bundle.load(folder).model_version


def learned(store: Store, folder: Path) -> list[str]:
    return [row.game_id for row in store.lessons.learned_games(version(folder))]


async def learn(model: ServedModel) -> None:
    model.wake()
    await model.settle()


async def test_a_replica_that_starts_while_the_store_is_away_forecasts_once_it_is_back(
    settings: Settings, tmp_path: Path
):
    (tmp_path / "data").write_text("")  # where the store's folder should be
    model = ServedModel(settings, Store.at(tmp_path / "data"))
    with pytest.raises(StoreUnavailableError):
        await model.forecast(REQUESTS, similar=0)
    (tmp_path / "data").unlink()
    assert len(await model.forecast(REQUESTS, similar=0)) == len(REQUESTS)


# --- learning --------------------------------------------------------------------------------


async def test_what_one_replica_learned_all_of_them_know(
    settings: Settings, store: Store, tmp_path: Path
):
    store_of_other = Store.at(tmp_path / "data")
    replica, other = ServedModel(settings, store), ServedModel(settings, store_of_other)
    before = await other.forecast(REQUESTS, similar=2)
    put_ended(store, ended_game("g1"), ended_game("g2", seed=1))
    await learn(replica)
    made = [await each.forecast(REQUESTS, similar=2) for each in (replica, other)]
    assert made[0] == made[1]
    assert {forecast.calibration_version for forecast in made[0]} == {
        f"{replica.bundle.model_version}+2"
    }
    assert [f.point_forecast for f in made[0]] != [f.point_forecast for f in before]
    started_later = ServedModel(settings, store_of_other)
    assert await started_later.forecast(REQUESTS, similar=2) == made[0]
    store_of_other.close()


async def test_a_game_of_the_same_day_is_not_known_that_day(model: ServedModel, store: Store):
    put_ended(store, ended_game("g1", LATER))
    before = await model.forecast(REQUESTS, similar=0)
    await learn(model)
    assert len(model.adaptation) == 1
    assert await model.forecast(REQUESTS, similar=0) == before


async def test_other_ensemble_weights_learn_nothing_anew(
    model: ServedModel, settings: Settings, store: Store, one: Path
):
    put_ended(store, ended_game("g1"))
    await learn(model)
    weighted = ServedModel(settings.model_copy(update={"weights": "original"}), store)
    assert len(weighted.adaptation) == 1
    await learn(weighted)
    assert learned(store, one) == ["g1"]
    (made, *_) = await weighted.forecast(REQUESTS, similar=0)
    assert made.calibration_version == f"{version(one)}+0.4-0.6+1"
    assert (made.dejavu_weight, made.lstm_weight) == (0.4, 0.6)


# --- another bundle --------------------------------------------------------------------------


async def test_while_a_bundle_comes_each_answer_is_wholly_of_one(
    model: ServedModel, settings: Settings, store: Store, one: Path, two: Path
):
    put_ended(store, ended_game("g1"), ended_game("g2", seed=1))
    await learn(model)
    old = await model.forecast(REQUESTS, similar=3)
    seen: list[list[MarginForecast]] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            seen.append(await model.forecast(REQUESTS, similar=3))
            await asyncio.sleep(0)

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    model.change_to(two)
    await model.settle()
    new = await model.forecast(REQUESTS, similar=3)
    stop.set()
    await asyncio.gather(*asking)
    assert {forecast.model_version for forecast in new} == {version(two)}
    assert new[0].calibration_version == f"{version(two)}+2"
    assert all(answer in (old, new) for answer in seen)
    assert seen.count(old) > 0
    # Once the new one has answered, the old one never does again.
    assert seen == [old] * seen.count(old) + [new] * seen.count(new)
    begun_with_it = ServedModel(settings.model_copy(update={"bundle": two}), store)
    assert await begun_with_it.forecast(REQUESTS, similar=3) == new


async def test_what_the_old_one_learned_the_new_one_learns_before_it_serves(
    model: ServedModel, store: Store, one: Path, two: Path
):
    put_ended(store, ended_game("g1"))
    await learn(model)
    assert learned(store, two) == []
    model.change_to(two)
    async with asyncio.timeout(60):
        while model.bundle.model_version != version(two):
            await asyncio.sleep(0)
    assert learned(store, two) == ["g1"]
    assert model.adaptation.before(None).games == 1
    put_ended(store, ended_game("g2", seed=1))
    await learn(model)
    assert (learned(store, one), learned(store, two)) == (["g1"], ["g1", "g2"])


async def test_the_bundle_that_is_in_service_stays_as_it_is(model: ServedModel, one: Path):
    before = model.bundle
    model.change_to(one)
    await model.settle()
    assert model.bundle is before


async def test_the_bundle_asked_for_last_comes(
    model: ServedModel, store: Store, one: Path, two: Path, tmp_path: Path
):
    model.change_to(tmp_path / "nowhere")
    model.change_to(two)
    model.change_to(one)
    await model.settle()
    assert model.bundle.model_version == version(one)
    model.change_to(two)
    await model.settle()
    assert model.bundle.model_version == version(two)


async def test_a_bad_bundle_leaves_the_old_one_and_is_tried_again(
    settings: Settings, store: Store, two: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "coming"
    shutil.copytree(two, folder)
    (folder / "lstm.safetensors").write_bytes(b"cut short")
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        assert served.bundle.model_version == version(settings.bundle)
        (made, *_) = await served.forecast(REQUESTS, similar=0)
        assert made.model_version == version(settings.bundle)
        pauses.append(seconds)
        if len(pauses) == 3:
            shutil.copy(two / "lstm.safetensors", folder)

    served = ServedModel(settings, store, sleep=sleep)
    with caplog.at_level(logging.ERROR):
        served.change_to(folder)
        await served.settle()
    assert pauses == [5.0, 10.0, 20.0]
    assert "lstm.safetensors: expected sha256" in caplog.text
    assert served.bundle.model_version == version(two)


async def test_a_replica_begins_with_the_bundle_it_is_told(
    model: ServedModel, store: Store, two: Path
):
    await model.begin_with(two)
    assert model.bundle.model_version == version(two)
    await model.settle()
    put_ended(store, ended_game("g1"))
    await learn(model)
    assert learned(store, two) == ["g1"]


async def test_a_replica_that_cannot_begin_with_it_begins_with_that_of_the_settings(
    settings: Settings, store: Store, two: Path, tmp_path: Path
):
    folder = tmp_path / "coming"

    async def sleep(_: float) -> None:
        shutil.copytree(two, folder)

    model = ServedModel(settings, store, sleep=sleep)
    await model.begin_with(folder)
    assert model.bundle.model_version == version(settings.bundle)
    await model.settle()
    assert model.bundle.model_version == version(two)


async def test_models_that_do_not_load_never_take_over(
    settings: Settings, store: Store, two: Path, monkeypatch: pytest.MonkeyPatch
):
    sound = Bundle.load_lstm

    def load(bundle: Bundle, device: Device = "auto") -> Lstm:
        if bundle.model_version == version(two):
            raise RuntimeError("no memory on the device")
        return sound(bundle, device)

    async def for_ever(_: float) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Bundle, "load_lstm", load)
    model = ServedModel(settings, store, sleep=for_ever)
    await model.begin_with(two)
    assert model.bundle.model_version == version(settings.bundle)
    assert len(await model.forecast([TIP_OFF], similar=0)) == 1
    model.change_to(settings.bundle)
    await model.settle()


# --- composed --------------------------------------------------------------------------------


class Deployments:
    """Both model deployments in this process; `down` ones do not answer."""

    def __init__(self, settings: Settings) -> None:
        self._dejavu = ModelShelf(lambda folder: load_bundle(folder, settings).dejavu)
        self._lstm = ModelShelf(lambda folder: load_bundle(folder, settings).load_lstm("cpu"))
        self.asked: list[Path] = []

    async def dejavu(self, questions: Sequence[DejavuQuestion]) -> list[DejavuForecast]:
        (folder,) = {question.bundle for question in questions}
        self.asked.append(folder)
        return ask_dejavu(
            self._dejavu.take(folder),
            [question.state for question in questions],
            [question.expected_margin for question in questions],
            [question.exclude_game_id for question in questions],
            [question.similar for question in questions],
        )

    async def lstm(self, questions: Sequence[LstmQuestion]) -> list[tuple[float, float]]:
        (folder,) = {question.bundle for question in questions}
        return ask_lstm(
            self._lstm.take(folder),
            [question.state for question in questions],
            [question.expected_margin for question in questions],
        )


async def test_composed_and_fused_learn_and_change_to_the_same_answers(
    model: ServedModel, settings: Settings, store: Store, one: Path, two: Path
):
    away = Deployments(settings)
    composed = ServedModel(settings, store, dejavu=away.dejavu, lstm=away.lstm)
    put_ended(store, ended_game("g1"), ended_game("g2", seed=1))
    await learn(composed)
    for folder in (one, two):
        for each in (composed, model):
            each.change_to(folder)
            await each.settle()
        at_once = model.forecast_now(REQUESTS, similar=3)  # learned by the other one
        made = [await each.forecast(REQUESTS, similar=3) for each in (composed, model)]
        assert made[0] == made[1] == at_once
        assert composed.forecast_now(REQUESTS, similar=3) is None
        assert made[0][0].calibration_version == f"{version(folder)}+2"
        assert away.asked[-1] == folder


async def test_models_that_do_not_answer_keep_the_old_bundle(
    settings: Settings, store: Store, one: Path, two: Path
):
    away = Deployments(settings)
    pauses: list[float] = []

    async def dejavu(questions: Sequence[DejavuQuestion]) -> list[DejavuForecast]:
        if questions[0].bundle == two and not pauses:
            raise RuntimeError("out of memory")
        return await away.dejavu(questions)

    async def sleep(seconds: float) -> None:
        assert served.bundle.model_version == version(one)
        pauses.append(seconds)

    served = ServedModel(settings, store, dejavu=dejavu, lstm=away.lstm, sleep=sleep)
    served.change_to(two)
    await served.settle()
    assert len(pauses) == 1
    assert served.bundle.model_version == version(two)
