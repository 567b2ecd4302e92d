"""What the live feed tells about the games, and each prediction printed as it arrives."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pydantic import TypeAdapter
from rich.console import Console
from rich.text import Text

from models.game.clock import GameClock
from models.game.league import NBA
from serve_app.schemas import GameView, LiveMessage, Outcome, Prediction, ScoreUpdate

SIMILAR_GAMES_SHOWN = 3
SCORE_FIELDS = ("quarter", "time_remaining", "score_home", "score_away")
GAME_VIEWS = TypeAdapter(list[GameView])


@dataclass(slots=True)
class LiveGame:
    """One game as far as the feed told it.

    `score` is the last one at or before the trigger: game seconds elapsed, home, away.
    """

    home: str = "?"
    away: str = "?"
    score: tuple[float, int, int] = (0.0, 0, 0)
    prediction: Prediction | None = None
    outcome: Outcome | None = None


class LiveView:
    """Reads live messages, in their order; `on_prediction` is called once per game."""

    def __init__(self, on_prediction: Callable[[LiveGame, Prediction], None]) -> None:
        self.games: dict[str, LiveGame] = {}
        self._on_prediction = on_prediction
        self._changed = asyncio.Condition()

    async def take(self, text: str | bytes) -> None:
        """Take one message of the feed; kinds that it does not know are passed over."""
        message = LiveMessage.model_validate_json(text)
        extra = message.model_extra or {}
        if message.type == "snapshot":
            for view in GAME_VIEWS.validate_python(extra["games"]):
                self._take_game(view)
        elif message.type == "game":
            self._take_game(GameView.model_validate(extra["game"]))
        elif message.game_id is not None:
            game = self.games.setdefault(message.game_id, LiveGame())
            if message.type == "score":
                _take_score(game, extra)
            elif message.type == "prediction":
                self._take_prediction(game, Prediction.model_validate(extra["prediction"]))
            elif message.type == "outcome":
                game.outcome = Outcome.model_validate(extra["outcome"])
        async with self._changed:
            self._changed.notify_all()

    async def resolved(self, game_ids: Collection[str], seconds: float) -> bool:
        """Wait until each of these games has an outcome; False where that takes longer."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(
                    lambda: all(
                        game_id in self.games and self.games[game_id].outcome is not None
                        for game_id in game_ids
                    )
                )
        except TimeoutError:
            return False
        return True

    def _take_game(self, view: GameView) -> None:
        game = self.games.setdefault(view.game_id, LiveGame())
        game.home, game.away = view.home_team, view.away_team
        if view.prediction is not None:
            self._take_prediction(game, view.prediction)
            game.outcome = view.prediction.outcome or game.outcome

    def _take_prediction(self, game: LiveGame, prediction: Prediction) -> None:
        if game.prediction is None:
            game.prediction = prediction
            self._on_prediction(game, prediction)


def _take_score(game: LiveGame, score: dict[str, object]) -> None:
    """Remember the score that is the last at or before the trigger by game clock."""
    update = ScoreUpdate.model_validate({name: score[name] for name in SCORE_FIELDS})
    elapsed = update.clock().elapsed_seconds
    if game.score[0] <= elapsed <= NBA.trigger_elapsed:
        game.score = (elapsed, update.score_home, update.score_away)


def prediction_lines(game: LiveGame, prediction: Prediction) -> list[Text]:
    """A prediction for people: the game, the score at the trigger, the forecast, its likes."""
    _, home, away = game.score
    trigger = GameClock(NBA.trigger_quarter, NBA.trigger_seconds_remaining).time_remaining
    head = Text.assemble(
        (f"{game.home:>4} – {game.away:<4}", "bold"),
        f" Q{prediction.quarter} {prediction.time_remaining:<6}",
        f" {home}–{away} at {trigger}   halftime ",
        (f"{prediction.point_forecast:+.1f}", "bold cyan"),
        f"  [{prediction.interval_lower:+.1f}, {prediction.interval_upper:+.1f}]"
        f" {prediction.coverage_probability:.0%}",
    )
    similar = prediction.explanation.similar_games if prediction.explanation else []
    likes = ", ".join(
        f"{like.date:%Y-%m-%d} {like.home_team}–{like.away_team} {like.halftime_differential:+.0f}"
        for like in similar[:SIMILAR_GAMES_SHOWN]
    )
    return [head, Text(f"            like {likes}", style="dim")] if likes else [head]


def print_prediction(console: Console) -> Callable[[LiveGame, Prediction], None]:
    """A callback that prints each prediction."""

    def show(game: LiveGame, prediction: Prediction) -> None:
        for line in prediction_lines(game, prediction):
            console.print(line, soft_wrap=True)

    return show
