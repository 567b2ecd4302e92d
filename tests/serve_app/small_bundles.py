"""Bundles small enough to load in a moment, cut from the shipped one, and games for them."""

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.forecasters.ensemble import Ensemble
from models.game.last_score import CLASSES
from models.training.bundle import Bundle
from serve_app.game.ended_game import EndedGame
from serve_app.schemas import GameRegistration
from serve_app.storage.store import Store

GAMES = 300
DAY = datetime.date(2024, 11, 5)


def small(bundle: Bundle, dejavu_weight: float = 0.5) -> Bundle:
    """The bundle with a library and a log of so many games, and an ensemble of its own."""
    library = bundle.library
    searched = np.arange(len(library.games)) < GAMES
    cut = replace(
        bundle,
        library=replace(
            library,
            games=library.games.select(searched),
            expected_margins=library.expected_margins[searched],
        ),
        errors=bundle.errors.rows(np.arange(len(bundle.errors)) < GAMES),
        ensemble=Ensemble(dejavu_weight, 1.0 - dejavu_weight),
    )
    return replace(cut, model_version=cut.content_version())


def saved(bundle: Bundle, folder: Path) -> Path:
    bundle.save(folder, "card")
    return folder


def ended_game(game_id: str, day: datetime.date = DAY, *, seed: int = 0) -> EndedGame:
    """A random game whose course is known; an odd number of points decides it."""
    random = np.random.default_rng(seed)
    margins = random.integers(-2, 3, 48).cumsum()
    return EndedGame(
        game_id=game_id,
        date=day,
        season=2024,
        playoffs=False,
        home="BOS",
        away="LAL",
        expected_margin=None,
        final_home=100 + int(margins[-1]) + int(margins[-1] == 0),
        final_away=100,
        margins=tuple(margins.tolist()),
        last_score=tuple(random.integers(-CLASSES, CLASSES + 1, 48).tolist()),
    )


def put_ended(store: Store, *games: EndedGame) -> None:
    """Keep games as a shard does when they end."""
    for game in games:
        registration = GameRegistration(
            game_id=game.game_id, home_team=game.home, away_team=game.away
        )
        with store.writing():
            store.games.add(registration, game.date)
            store.games.end(game.game_id)
            store.games.set_ended(game)
