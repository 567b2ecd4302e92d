"""The model of a shard follows the bundle in service, and never stands without one for it."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.errors import BundleError
from models.forecasters.forecaster import ForecastRequest, MarginForecast
from serve_app.model.following import RETRY_SECONDS, FollowingModel
from serve_app.model.placement import NearPlacement
from serve_app.model.served_model import TIP_OFF
from tests.serve_app.conftest import NormalPlacement

ONE, TWO, BROKEN = Path("one"), Path("two"), Path("broken")


class Mute(NormalPlacement):
    """A model that loads and makes no forecast."""

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        raise RuntimeError("no forecast")


class Bundles:
    """Loads models, counted; which one made a forecast is told by what it was asked."""

    def __init__(self) -> None:
        self.models: dict[Path, NormalPlacement] = {ONE: NormalPlacement(), TWO: NormalPlacement()}
        self.loaded: list[Path] = []

    def load(self, folder: Path) -> NearPlacement:
        self.loaded.append(folder)
        if folder not in self.models:
            raise BundleError(f"{folder}: no bundle")
        return self.models[folder]

    def made(self) -> dict[str, int]:
        return {str(folder): model.made for folder, model in self.models.items()}


@pytest.fixture
def bundles() -> Bundles:
    return Bundles()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def model(bundles: Bundles, slept: list[float]) -> FollowingModel:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    following = FollowingModel(bundles.load, ONE, sleep=sleep)
    following.begin()
    return following


async def test_another_bundle_takes_over_once_it_has_made_a_forecast(
    model: FollowingModel, bundles: Bundles
):
    model.follow(ONE)
    await model.forecast([TIP_OFF], similar=0)
    model.follow(TWO)
    await model.forecast([TIP_OFF], similar=0)
    assert bundles.made() == {"one": 2, "two": 0}  # not loaded yet
    await model.settle()
    await model.forecast([TIP_OFF], similar=0)
    assert bundles.made() == {"one": 2, "two": 2}
    model.follow(ONE)
    await model.settle()
    await model.forecast([TIP_OFF], similar=0)
    assert bundles.made() == {"one": 4, "two": 2}
    assert bundles.loaded == [ONE, TWO]


@pytest.mark.parametrize("wrong", ["cannot be loaded", "makes no forecast"])
async def test_one_that_is_wrong_leaves_the_present_one_and_is_tried_again_after_a_while(
    model: FollowingModel,
    bundles: Bundles,
    slept: list[float],
    wrong: str,
    caplog: pytest.LogCaptureFixture,
):
    if wrong == "makes no forecast":
        bundles.models[BROKEN] = Mute()
    with caplog.at_level(logging.ERROR):
        model.follow(BROKEN)
        model.follow(BROKEN)
        await model.settle()
    assert slept == [RETRY_SECONDS]
    assert "broken makes no forecasts here, one serves on" in caplog.text
    await model.forecast([TIP_OFF], similar=0)
    assert bundles.models[ONE].made == 1
    bundles.models[BROKEN] = NormalPlacement()
    if wrong == "cannot be loaded":
        model.follow(BROKEN)
        await model.settle()
        await model.forecast([TIP_OFF], similar=0)
        assert bundles.models[BROKEN].made == 2


async def test_without_a_first_bundle_the_next_one_named_is_waited_for(
    bundles: Bundles, caplog: pytest.LogCaptureFixture
):
    model = FollowingModel(bundles.load, BROKEN)
    with caplog.at_level(logging.ERROR):
        model.begin()
    assert "no forecasts with broken yet" in caplog.text
    with pytest.raises(BundleError):
        await model.forecast([TIP_OFF], similar=0)
    model.follow(ONE)
    await asyncio.wait_for(model.forecast([TIP_OFF], similar=0), 20)
    assert bundles.made() == {"one": 1, "two": 0}


async def test_it_forecasts_at_once_when_it_is_loaded_and_not_before(bundles: Bundles):
    model = FollowingModel(bundles.load, ONE)
    assert model.forecast_now([TIP_OFF], similar=0) is None
    assert bundles.loaded == []
    model.begin()
    assert model.forecast_now([TIP_OFF], similar=0) == await model.forecast([TIP_OFF], similar=0)
    assert bundles.made() == {"one": 2, "two": 0}
