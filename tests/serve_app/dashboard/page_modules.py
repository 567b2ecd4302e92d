"""The page's modules run in node, and what the tests tell them."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serve_app import dashboard
from serve_app.schemas import (
    Distribution,
    Forecast,
    GameView,
    LiveMessage,
    Outcome,
    Prediction,
    RunningForecast,
)

SCRIPTS = sorted(
    name for name in dashboard.ASSETS if name.endswith(".js") and name not in dashboard.VENDORED
)
# Those that can be loaded without a browser.
PURE = (
    "announcer", "chart", "course", "dejavu", "fan", "figure", "game_figures", "game_words",
    "key_lock", "link", "night", "record", "record_figures", "record_words", "reports", "router",
    "session", "silence", "similar_games", "spark", "system_view", "system_words", "tonight_view",
    "words",
)  # fmt: skip
NODE = shutil.which("node")
NOW = datetime(2024, 2, 15, 1, 30, tzinfo=UTC)
# When the messages come to the page, in milliseconds.
ARRIVAL = 1_707_960_600_000

needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def script(name: str) -> str:
    """An asset's text."""
    return dashboard.asset(name).content.decode()


def keys_of(source: str, constant: str) -> set[str]:
    """The keys of a top-level object literal in a module."""
    match = re.search(rf"^(?:export )?const {constant} = \{{(.*?)\}};$", source, re.M | re.S)
    assert match, constant
    lines = match.group(1).splitlines() or [match.group(1)]
    inline = re.findall(r"(\w+):", lines[0]) if len(lines) == 1 else []
    return set(inline) | set(re.findall(r"^  (\w+)[:(]", match.group(1), re.M))


class Modules:
    """The page's modules in a folder where node takes them for what they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "package.json").write_text('{"type": "module"}')
        for name in SCRIPTS:
            (folder / name).write_bytes(dashboard.asset(name).content)

    def run(self, body: str, given: object = None) -> Any:  # noqa: ANN401
        """What `body` returns, as JSON, with `given` at hand."""
        head = "".join(f'import * as {name} from "./{name}.js";' for name in PURE)
        text = f"{head}\nconst given = {json.dumps(given)};\n"
        text += f"console.log(JSON.stringify(await (async () => {{ {body} }})()));"
        (self.folder / "case.js").write_text(text)
        assert NODE is not None
        done = subprocess.run(
            [NODE, "case.js"],
            cwd=self.folder,
            env={"TZ": "UTC", "LC_ALL": "en_US.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def night(self, *messages: LiveMessage) -> Any:  # noqa: ANN401
        """The night after these messages, as the page keeps it."""
        return self.night_of_texts([message.model_dump_json() for message in messages])

    def night_of_texts(self, messages: list[str]) -> Any:  # noqa: ANN401
        """The night after these messages as they came over the wire."""
        return self.run(
            """
            const tonight = night.emptyNight();
            for (const text of given.messages) {
              night.apply(tonight, JSON.parse(text), given.arrival);
            }
            const order = [...night.arrange(tonight)].map(([phase, games]) =>
                [phase, games.map((game) => game.game_id)]);
            const games = Object.fromEntries(tonight.games);
            return {...tonight, games, order: Object.fromEntries(order),
                    counts: night.counts(tonight)};
            """,
            {"messages": messages, "arrival": ARRIVAL},
        )


def message(kind: str, **fields: object) -> LiveMessage:
    content = {"seq": 1, "type": kind, "time": NOW, **fields}
    return LiveMessage.model_validate(content)


def view(game_id: str = "g", **fields: object) -> GameView:
    known: dict[str, object] = {"home_team": "DEN", "away_team": "DAL", "state": "live"}
    return GameView.model_validate({"game_id": game_id, "league": "nba", **known, **fields})


def score(clock: str, home: int, away: int, quarter: int = 2, **fields: object) -> LiveMessage:
    known = {"game_id": "g", "quarter": quarter, "time_remaining": clock, "state": "live"}
    numbers = {"score_home": home, "score_away": away, "margin": home - away, "game_minute": 1}
    return message("score", **{**known, **numbers, **fields})


FORECAST = Forecast(
    point_forecast=7.4,
    interval_lower=-4.6,
    interval_upper=19.4,
    coverage_probability=0.95,
    model_version="test",
    expected_margin=2.5,
    strength="ratings",
)
PREDICTION = Prediction(
    **FORECAST.model_dump(),
    game_id="g",
    pattern=[float(minute % 7) for minute in range(1, 19)],
    made_at=NOW,
    quarter=2,
    time_remaining="6:00",
    minutes_carried_forward=0,
)
RUNNING = RunningForecast(
    made_at=NOW,
    quarter=2,
    time_remaining="4:12",
    margin=3,
    updates=7,
    model_version="test",
    expected_margin=2.5,
    strength="ratings",
    halftime=Distribution(
        point_forecast=2.1, interval_lower=-6.2, interval_upper=10.4, coverage_probability=0.95
    ),
    final=Distribution(
        point_forecast=4.2,
        interval_lower=-18.0,
        interval_upper=26.0,
        coverage_probability=0.95,
        win_probability=0.631,
    ),
)
OUTCOME = Outcome(halftime_margin=10, error=2.6, persistence_error=6, covered=True, resolved_at=NOW)
