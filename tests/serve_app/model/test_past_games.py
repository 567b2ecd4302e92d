"""Past games as they are answered, and the similar ones of either placement."""

from pathlib import Path

import pytest

from models.forecasters.forecaster import ForecastRequest
from models.game.game_state import GameState
from models.training.bundle import Bundle
from serve_app.model.past_games import past_game
from serve_app.model.served_model import ServedModel
from serve_app.settings import Settings
from serve_app.storage.store import Store
from tests.serve_app.model.test_served_model import Deployments
from tests.serve_app.small_bundles import DAY, saved, small

PATTERN = [2.0, 1.0, 4.0, 4.0, 7.0, 9.0, 6.0]


@pytest.fixture(scope="module")
def folder(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(small(bundle), tmp_path_factory.mktemp("bundle"))


def request(**changes: object) -> ForecastRequest:
    fields = {"home_team": "BOS", "away_team": "LAL", "date": DAY, "horizon": "final", **changes}
    return ForecastRequest(state=GameState.of_pattern(PATTERN), **fields)  # type: ignore[arg-type]


def test_a_past_game_is_its_row_of_the_library(bundle: Bundle):
    library = bundle.library
    row = len(library.games) // 2
    found = past_game(library, str(library.games.game_id[row]))
    assert found.margins == library.games.margins[row].tolist()
    assert len(found.margins) == 48
    assert found.halftime_margin == found.margins[23]
    assert found.final_margin == found.final_home - found.final_away
    assert found.expected_margin == library.expected_margins[row]
    assert found.date == library.games.date[row].item()
    assert (found.home_team, found.away_team) == (library.games.home[row], library.games.away[row])
    with pytest.raises(KeyError):
        past_game(library, "nothing")


async def test_both_placements_name_the_games_that_a_forecast_names(
    folder: Path, store: Store, tmp_path: Path
):
    settings = Settings(bundle=folder, data_dir=tmp_path / "data", placement="fused", device="cpu")
    away = Deployments(settings)
    fused = ServedModel(settings, store)
    composed = ServedModel(settings, store, dejavu=away.dejavu, lstm=away.lstm)
    for asked in (request(), request(expected_margin=-8.0)):
        found = await fused.similar(asked, 12)
        assert await composed.similar(asked, 12) == found
        (made,) = await fused.forecast([asked], similar=12)
        assert [(game.game_id, game.distance) for game in found] == [
            (game.game_id, game.distance) for game in made.similar_games
        ]
        for one, named in zip(found, made.similar_games, strict=True):
            assert tuple(map(float, one.margins[: len(PATTERN)])) == named.pattern
            assert (one.halftime_margin, one.final_margin) == (
                named.halftime_margin,
                named.final_margin,
            )


async def test_a_game_is_not_like_itself(folder: Path, store: Store, tmp_path: Path):
    settings = Settings(bundle=folder, data_dir=tmp_path / "data", placement="fused", device="cpu")
    model = ServedModel(settings, store)
    (nearest, *_) = await model.similar(request(), 5)
    found = await model.similar(request(exclude_game_id=nearest.game_id), 5)
    assert nearest not in found
    assert len(found) == 5
