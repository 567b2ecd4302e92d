"""The dashboard: what is served, what the page may load, and the logic behind its cards."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from serve_app import dashboard
from serve_app.access.keys import new_key
from serve_app.game.due_forecast import DueForecast
from serve_app.live.message import change, snapshot
from serve_app.schemas import (
    Distribution,
    Explanation,
    Forecast,
    GameState,
    GameView,
    LiveMessage,
    Outcome,
    Prediction,
    Revision,
    RunningForecast,
    StrengthSource,
)
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, MadeForecast, Update
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, update, updates

FOLDER = Path(dashboard.__file__).parent
SCRIPTS = sorted(name for name in dashboard.ASSETS if name.endswith(".js"))
NODE = shutil.which("node")
NOW = datetime(2024, 2, 15, 1, 30, tzinfo=UTC)

needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def script(name: str) -> str:
    return dashboard.asset(name)[0].decode()


def keys_of(source: str, constant: str) -> set[str]:
    """The keys of a top-level object literal in a module."""
    match = re.search(rf"^(?:export )?const {constant} = \{{(.*?)\}};$", source, re.M | re.S)
    assert match, constant
    lines = match.group(1).splitlines() or [match.group(1)]
    inline = re.findall(r"(\w+):", lines[0]) if len(lines) == 1 else []
    return set(inline) | set(re.findall(r"^  (\w+)[:(]", match.group(1), re.M))


class Page(HTMLParser):
    """Every tag of the page with its attributes, and the text inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(dashboard.page())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open in {"script", "style"} and data.strip():
            self.inline.append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._open = ""

    def values(self, *attributes: str) -> list[str]:
        return [tag[name] for _, tag in self.tags for name in attributes if name in tag]


# --- what is served -------------------------------------------------------------------------


def test_every_file_of_the_page_is_an_asset_with_its_media_type() -> None:
    on_disk = {path.name for path in FOLDER.iterdir() if path.suffix in {".css", ".js"}}
    assert set(dashboard.ASSETS) == on_disk
    for name in on_disk:
        content, media_type = dashboard.asset(name)
        assert content == (FOLDER / name).read_bytes()
        assert media_type.startswith("text/css" if name.endswith(".css") else "text/javascript")


@pytest.mark.parametrize("name", ["", "index.html", "__init__.py", "../schemas.py", "./night.js"])
def test_nothing_else_is_an_asset(name: str) -> None:
    with pytest.raises(KeyError):
        dashboard.asset(name)


def test_page_and_scripts_load_known_assets_only_and_all_of_them() -> None:
    links = Page().values("src", "href")
    loaded = {link.removeprefix("assets/") for link in links if link.startswith("assets/")}
    others = {link for link in links if not link.startswith(("assets/", "data:image/svg+xml,"))}
    assert others == {"#games", "docs", "games"}
    for name in SCRIPTS:
        loaded |= set(re.findall(r'from "\./([^"]+)";$', script(name), re.M))
        assert "import(" not in script(name)
    assert loaded == set(dashboard.ASSETS)


def test_nothing_comes_from_another_host() -> None:
    texts = [dashboard.page(), *(script(name) for name in dashboard.ASSETS)]
    for text in texts:
        addresses = re.findall(r"(?:\w+:)?//[\w.-]+\.[\w./-]+", text)
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}
        assert "@import" not in text


def test_the_page_fits_its_content_security_policy() -> None:
    rules = dict(
        rule.strip().split(" ", 1) for rule in dashboard.CONTENT_SECURITY_POLICY.split(";")
    )
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    page = Page()
    assert page.inline == []
    assert not [tag for tag, _ in page.tags if tag in {"style", "iframe", "object", "base"}]
    assert rules["form-action"] == "'none'"  # the form of the key is the script's alone
    assert rules["require-trusted-types-for"] == "'script'"
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


@pytest.mark.parametrize("name", SCRIPTS)
def test_feed_data_never_becomes_markup_or_code(name: str) -> None:
    risky = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"
    )
    assert re.findall(risky, script(name)) == []


# --- the page and its modules agree with each other and with the contract ---------------------


def test_message_types_and_words_are_those_of_the_contract() -> None:
    night, words = script("night.js"), script("words.js")
    assert keys_of(night, "HANDLERS") == set(get_args(LiveMessage.model_fields["type"].annotation))
    assert keys_of(night, "STATES") == keys_of(words, "CHIPS") == set(get_args(GameState))
    assert keys_of(words, "STRENGTHS") == set(get_args(StrengthSource))
    assert keys_of(words, "REASONS") == set(get_args(Revision.model_fields["reason"].annotation))


def test_scripts_find_what_they_look_for_in_the_page() -> None:
    page = Page()
    card = script("card.js")
    used = set(re.findall(r"parts\.([a-z]\w*)", card)) | set(
        re.findall(r'parts\["([^"]+)"\]', card)
    )
    used |= set(re.findall(r"const \{ (\w+) \} = this\.parts;", card))
    assert used == set(page.values("data-part"))
    assert set(re.findall(r'byId\("([^"]+)"\)', script("dashboard.js"))) <= set(page.values("id"))
    phases = re.search(r"export const PHASES = (\[.*\]);", script("night.js"))
    assert phases
    assert json.loads(phases.group(1)) == page.values("data-phase")


def test_text_has_aa_contrast_in_light_and_dark() -> None:
    css = script("dashboard.css")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.S)
    )
    for theme in (light, dark):
        for ground in ("page", "card"):
            for text in ("ink", "soft", "home", "good", "bad", "warn"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme[text])


def contrast(first: str, second: str) -> float:
    """The WCAG 2 contrast ratio of two `#rrggbb` colours."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- the logic, run in node -------------------------------------------------------------------


class Modules:
    """The page's modules in a folder where node takes them for what they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "package.json").write_text('{"type": "module"}')
        for name in SCRIPTS:
            (folder / name).write_bytes(dashboard.asset(name)[0])

    def run(self, body: str, given: object = None) -> Any:  # noqa: ANN401
        """What `body` returns, as JSON, with `given` at hand."""
        head = "".join(
            f'import * as {name} from "./{name}.js";'
            for name in ("night", "words", "chart", "link", "session")
        )
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
            for (const text of given) night.apply(tonight, JSON.parse(text));
            const order = [...night.arrange(tonight)].map(([phase, games]) =>
                [phase, games.map((game) => game.game_id)]);
            const games = Object.fromEntries(tonight.games);
            return {...tonight, games, order: Object.fromEntries(order),
                    counts: night.counts(tonight)};
            """,
            messages,
        )


@pytest.fixture
def modules(tmp_path: Path) -> Modules:
    return Modules(tmp_path)


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


@needs_node
def test_a_game_goes_from_registration_to_its_end(modules: Modules) -> None:
    revision = Revision(
        reason="score_correction",
        made_at=NOW,
        pattern=PREDICTION.pattern,
        minutes_carried_forward=0,
        forecast=FORECAST,
    )
    steps = [
        message("snapshot", games=[]),
        message("game", game=view(state="registered")),
        score("11:40", 2, 0, quarter=1),
        message("prediction", game_id="g", prediction=PREDICTION),
        message("revision", game_id="g", revision=revision),
        message("revision", game_id="g", revision=revision),
        message("outcome", game_id="g", outcome=OUTCOME),
        message("ended", game_id="g"),
    ]
    states = [modules.night(*steps[:count])["games"]["g"]["state"] for count in range(2, 9)]
    assert states == ["registered", "live", *["predicted"] * 3, "resolved", "ended"]
    night = modules.night(*steps)
    game = night["games"]["g"]
    assert len(game["prediction"]["revisions"]) == 1
    assert game["prediction"]["point_forecast"] == PREDICTION.point_forecast
    assert game["prediction"]["outcome"]["halftime_margin"] == 10
    assert game["trail"][-1] == [1440, 10]
    assert night["counts"] == {"games": 1, "predicted": 1, "resolved": 1}
    assert night["predicted"] == ["g"]


@needs_node
def test_the_shards_messages_and_its_snapshot_tell_the_same_night(
    modules: Modules, shard: GameShard, store: Store
) -> None:
    begin = snapshot(0, []).text

    def post(batch: list[Update]) -> None:
        for item in shard.apply(batch):
            assert isinstance(item, Applied)
            if item.due is not None:
                shard.record(item.due, forecast())
            if isinstance(item.running, DueForecast):
                shard.record_running([MadeForecast(item.running, None, forecast())])

    for game_id in ("waiting", "played", "halfway", "holes"):
        shard.register(registration(game_id))
    post([update(60, 2, game_id="holes"), update(1100, 30, game_id="holes")])
    post(updates(1110, game_id="halfway"))
    post(updates(1110, game_id="played"))
    post([update(1080, 20, game_id="played")])
    post(updates(2880, game_id="played", start=1140))
    shard.end("played")

    told = [change(row).text for row in store.journal.after(0, 10_000)]
    kinds = {json.loads(text)["type"] for text in told}
    assert kinds == keys_of(script("night.js"), "HANDLERS") - {"snapshot", "resumed", "heartbeat"}
    views = shard.games(["waiting", "played", "halfway", "holes"])
    seen_now = snapshot(len(told), [view.model_dump_json() for view in views]).text
    heard, seen = (
        modules.night_of_texts([begin, *told]),
        modules.night_of_texts([seen_now]),
    )
    assert (heard["counts"], heard["order"]) == (seen["counts"], seen["order"])
    assert heard["counts"] == {"games": 4, "predicted": 2, "resolved": 1}
    shown = (
        "state",
        "quarter",
        "time_remaining",
        "score_home",
        "score_away",
        "margin",
        "prediction",
        "forecast",
    )
    for game_id, game in seen["games"].items():
        told_of = heard["games"][game_id]
        assert {name: told_of[name] for name in shown} == {name: game[name] for name in shown}
        assert [point for point in game["trail"] if point not in told_of["trail"]] == []


@needs_node
def test_the_newest_running_forecast_is_shown_whatever_came_last(modules: Modules) -> None:
    newer = RUNNING.model_copy(update={"updates": 9, "time_remaining": "3:50"})
    told = [message("forecast", game_id="g", forecast=made) for made in (RUNNING, newer, RUNNING)]
    game = modules.night(message("snapshot", games=[view()]), *told)["games"]["g"]
    assert game["forecast"]["time_remaining"] == "3:50"
    game = modules.night(message("snapshot", games=[view(forecast=newer)]), told[0])["games"]["g"]
    assert game["forecast"]["updates"] == 9


@needs_node
def test_a_late_update_fills_the_past_and_leaves_the_clock(modules: Modules) -> None:
    updates = [score("7:00", 40, 30), score("8:00", 36, 31), score("7:00", 39, 30)]
    game = modules.night(message("snapshot", games=[view()]), *updates)["games"]["g"]
    assert (game["time_remaining"], game["score_home"], game["margin"]) == ("7:00", 39, 9)
    assert game["trail"] == [[0, 0], [960, 5], [1020, 9]]


@needs_node
def test_a_snapshot_replaces_all_and_what_was_missed_is_not_drawn(modules: Modules) -> None:
    games = [
        view("b", pattern=[1, 2, 2, 2, 5], missing_minutes=[3, 4], quarter=1, margin=6,
             time_remaining="6:30"),
    ]  # fmt: skip
    night = modules.night(message("snapshot", games=[view("a")]), message("snapshot", games=games))
    assert list(night["games"]) == ["b"]
    trail = night["games"]["b"]["trail"]
    assert trail == [[0, 0], [60, 1], [120, 2], [300, 5], [330, 6]]
    shapes = modules.run(
        "return chart.chartShapes({trail: given}, chart.chartRange({trail: given}));", trail
    )
    assert (shapes["seen"].count("M"), shapes["gap"].count("M")) == (2, 1)


@needs_node
def test_unknown_types_and_games_that_are_not_shown_change_nothing(modules: Modules) -> None:
    snapshot = message("snapshot", games=[view()]).model_dump(mode="json")
    strange = [{"seq": 2, "type": kind, "time": "", "game_id": "g"} for kind in ("x", "toString")]
    other = score("6:30", 1, 0, game_id="other").model_dump(mode="json")
    changed, games = modules.run(
        """
        const tonight = night.emptyNight();
        night.apply(tonight, given[0]);
        const changed = given.slice(1).flatMap((message) => night.apply(tonight, message));
        return [changed, [...tonight.games.keys()]];
        """,
        [snapshot, *strange, other],
    )
    assert (changed, games) == ([], ["g"])


@needs_node
def test_messages_that_a_snapshot_held_already_do_no_harm(modules: Modules) -> None:
    resolved = PREDICTION.model_copy(update={"outcome": OUTCOME})
    known = view(state="ended", quarter=4, time_remaining="0:00", margin=1, prediction=resolved)
    again = [
        message("game", game=view(state="registered")),
        score("5:58", 40, 35, state="live"),
        message("prediction", game_id="g", prediction=PREDICTION),
        message("outcome", game_id="g", outcome=OUTCOME),
        message("ended", game_id="g"),
    ]
    snapshot = message("snapshot", games=[known])
    before = modules.night(snapshot)["games"]["g"]
    after = modules.night(snapshot, *again)
    assert after["games"]["g"] == {**before, "trail": after["games"]["g"]["trail"]}
    assert after["predicted"] == []


@needs_node
def test_a_superseded_score_is_not_shown(modules: Modules) -> None:
    updates = [score("7:00", 40, 30), score("7:00", 38, 30, flags=["superseded"])]
    game = modules.night(message("snapshot", games=[view()]), *updates)["games"]["g"]
    assert (game["score_home"], game["trail"][-1]) == (40, [1020, 10])


@needs_node
def test_live_games_come_first_then_predicted_then_settled(modules: Modules) -> None:
    states = ["ended", "resolved", "missed", "predicted", "registered", "live"]
    games = [view(state, state=state) for state in states]
    order = modules.night(message("snapshot", games=games))["order"]
    assert order == {
        "live": ["live"],
        "predicted": ["predicted"],
        "upcoming": ["registered"],
        "settled": ["missed", "resolved", "ended"],
    }
    assert list(order) == ["live", "predicted", "upcoming", "settled"]


@needs_node
@pytest.mark.parametrize(
    ("halftime", "covered"), [(-4.6, True), (19, True), (-5, False), (20, False), (60, False)]
)
def test_the_interval_bar_shows_an_outcome_where_it_fell(
    modules: Modules, halftime: float, covered: bool
) -> None:
    outcome = OUTCOME.model_copy(update={"halftime_margin": halftime, "covered": covered})
    game = {
        "prediction": PREDICTION.model_copy(update={"outcome": outcome}).model_dump(mode="json")
    }
    shapes = modules.run("return chart.barShapes(given, chart.barBound(given));", game)
    mark = float(re.match(r"M([\d.]+) ", shapes["actual"])[1])  # type: ignore[index]
    low, high = shapes["low"], shapes["low"] + shapes["width"]
    assert 0 < low < shapes["point"] < high < 360
    assert 0 < mark < 360
    assert (low - 0.1 <= mark <= high + 0.1) is covered
    assert shapes["now"] is None


@needs_node
def test_words_name_the_team_that_leads(modules: Modules) -> None:
    explanation = Explanation(
        dejavu_prediction=7, lstm_prediction=8, ensemble_forecast=7.4, dejavu_weight=0.6,
        lstm_weight=0.4, similar_games=[],
    )  # fmt: skip
    prediction = PREDICTION.model_copy(
        update={"explanation": explanation, "minutes_carried_forward": 2}
    )
    game = view(margin=-3, prediction=prediction).model_dump(mode="json")
    said = modules.run(
        """
        const {prediction} = given;
        const both = {interval_lower: 1.2, interval_upper: 25.14};
        const away = {interval_lower: -25.1, interval_upper: -1.2};
        return [words.lead(given, 7.44), words.lead(given, -3, 0), words.lead(given, 0.04),
                words.span(given, prediction), words.span(given, both), words.span(given, away),
                words.frozenText(prediction), words.percent(0.95, 1), words.percent(0.9467, 1),
                words.announcement(given), words.makeupOf(given)];
        """,
        game,
    )
    assert said == [
        "DEN +7.4",
        "DAL +3",
        "Tied",
        "DAL +4.6 to DEN +19.4",
        "DEN +1.2 to +25.1",
        "DAL +1.2 to +25.1",
        "Frozen at Q2 6:00, 2 minutes carried forward",
        "95\u202f%",
        "94.7\u202f%",
        "DAL at DEN: DEN +7.4 forecast at halftime, DAL +4.6 to DEN +19.4.",
        "Dejavu DEN +7.0 × 0.60 · LSTM DEN +8.0 × 0.40 · "
        "expected before the game DEN +2.5, from team ratings · model test",
    ]


@needs_node
def test_the_running_forecast_in_words(modules: Modules) -> None:
    chances = [0.631, 0.5, 0.369, 0.997, 0.003, 1, 0]
    said = modules.run(
        """
        const {game, forecasts, chances} = given;
        return [...forecasts.map(words.runningText), words.span(game, game.forecast.halftime),
                ...chances.map((chance) => words.winText(game, chance))];
        """,
        {
            "game": view(forecast=RUNNING).model_dump(mode="json"),
            "forecasts": [
                RUNNING.model_dump(mode="json"),
                {"quarter": 5, "time_remaining": "0:07.2"},
            ],
            "chances": chances,
        },
    )
    assert said == [
        "Running forecast at Q2 4:12",
        "Running forecast at OT 0:07.2",
        "DAL +6.2 to DEN +10.4",
        "DEN 63\u202f%",
        "DEN 50\u202f%",
        "DAL 63\u202f%",
        "DEN >99\u202f%",
        "DAL >99\u202f%",
        "DEN 100\u202f%",
        "DAL 100\u202f%",
    ]


@needs_node
def test_clocks_read_like_a_scoreboard(modules: Modules) -> None:
    clocks = [
        (2, "6:00", "live", "Q2 6:00"),
        (2, "PT06M01.00S", "live", "Q2 6:01"),
        (2, "0:57.4", "predicted", "Q2 0:57"),
        (4, ":32.1", "resolved", "Q4 0:32"),
        (1, "0:00", "live", "End Q1"),
        (2, "0:00", "resolved", "Half"),
        (5, "2:10", "resolved", "OT 2:10"),
        (6, "2:10", "resolved", "2OT 2:10"),
        (4, "0:00", "ended", "Final"),
        (5, "0:00", "ended", "Final/OT"),
        (None, None, "registered", "Not started"),
    ]
    games = [{"quarter": q, "time_remaining": clock, "state": s} for q, clock, s, _ in clocks]
    texts = modules.run("return given.map(words.clockText);", games)
    assert texts == [text for *_, text in clocks]


@needs_node
def test_a_game_without_a_forecast_says_why(modules: Modules) -> None:
    seen = [[0, 0], *([minute * 60, 1] for minute in range(1, 19))]
    holes = [point for point in seen if point[0] / 60 not in {4, 5, 6, 11}]
    games = [
        {"state": "registered", "elapsed": None, "trail": seen[:1]},
        {"state": "live", "elapsed": 1040, "trail": holes},
        {"state": "live", "elapsed": 1081, "trail": seen},
        {"state": "live", "elapsed": 1081, "trail": holes},
        {"state": "missed", "elapsed": 1440, "trail": holes},
        {"state": "missed", "elapsed": 1440, "trail": seen},
        {"state": "ended", "elapsed": 1440, "trail": holes},
    ]
    assert modules.run("return given.map(words.remarkOf);", games) == [
        "Waiting for the first score.",
        "Forecast in 0:40 of game clock.",
        "At 6:00; the forecast is being made.",
        "No forecast yet: no update came for minutes 4–6, 11.",
        "No forecast: halftime came first, without an update in minutes 4–6, 11.",
        "No forecast: halftime came first.",
        "Ended without a forecast.",
    ]


@needs_node
def test_a_lost_link_tries_again_with_longer_pauses_and_heals(modules: Modules) -> None:
    told = modules.run(
        """
        const sockets = [];
        const timers = [];
        globalThis.WebSocket = class extends EventTarget {
          constructor(url) { super(); this.url = url; sockets.push(this); }
          close() {}
        };
        globalThis.setTimeout = (action, pause) => timers.push({action, pause});
        globalThis.clearTimeout = () => {};
        const states = [];
        const heard = [];
        const line = new link.Link("ws://host/ws/live",
            {onMessage: ({type}) => heard.push(type), onState: (state) => states.push(state)});
        line.open();
        const pauses = [];
        for (let failure = 0; failure < 9; failure += 1) {
          sockets.at(-1).dispatchEvent(new Event("close"));
          const retry = timers.at(-1);
          pauses.push(retry.pause);
          retry.action();
        }
        const say = (socket, type, seq) => socket.dispatchEvent(
            Object.assign(new Event("message"), {data: JSON.stringify({type, seq})}));
        say(sockets.at(-1), "snapshot", 7);
        say(sockets[0], "score", 8);
        const live = line.live;
        say(sockets.at(-1), "heartbeat", 9);
        sockets.at(-1).dispatchEvent(new Event("close"));
        timers.at(-1).action();
        say(sockets.at(-1), "resumed", 9);
        line.rest();
        line.open();
        const urls = [sockets[9], sockets[10], sockets[11]].map(({url}) => String(url));
        return {pauses, heard, states, live, urls};
        """
    )
    longest = [min(500 * 2**attempt, 15_000) for attempt in range(9)]
    for pause, most in zip(told["pauses"], longest, strict=True):
        assert most / 2 <= pause <= most
    assert told["states"] == [*["lost"] * 9, "live", "lost", "live"]
    assert told["heard"] == ["snapshot", "heartbeat", "resumed"]
    assert told["live"] is True
    address = "ws://host/ws/live"
    assert told["urls"] == [address, f"{address}?since=9", address]


FAKE_SERVICE = """
const KEY = "htf" + "a".repeat(12) + "_" + "B".repeat(43);
const asked = [];
let answer = {status: 200, body: {ticket: "T1"}};
const ask = async (path, options) => {
  asked.push([path, options.method, options.headers.authorization ?? null, options.credentials]);
  if (answer === null) throw new TypeError("no network");
  const {status, body} = answer;
  return {status, ok: status < 300, json: async () => body};
};
const kept = new Map();
const storage = {getItem: (name) => kept.get(name) ?? null, setItem: (...pair) => kept.set(...pair),
                 removeItem: (name) => kept.delete(name)};
const line = new session.Session({storage, ask});
"""


@needs_node
def test_a_key_goes_in_a_header_and_a_socket_gets_a_ticket(modules: Modules) -> None:
    told = modules.run(
        FAKE_SERVICE
        + """
        const before = line.protocols();
        await line.fetchJson("models");
        line.keep(KEY);
        const offered = await line.protocols();
        const again = new session.Session({storage, ask}).key === KEY;
        line.forget();
        return {before, offered, again, asked, kept: [...kept], after: line.protocols()};
        """
    )
    key = "htf" + "a" * 12 + "_" + "B" * 43
    assert told["before"] == told["after"] == told["kept"] == []
    assert told["offered"] == ["halftime.v1", "ticket.T1"]
    assert told["again"]
    assert told["asked"] == [
        ["models", "GET", None, "omit"],
        ["tickets", "POST", f"Bearer {key}", "omit"],
    ]


@needs_node
def test_a_refused_key_is_told_apart_from_a_service_that_is_away(modules: Modules) -> None:
    problem = {"title": "An API key is needed", "detail": "the API key is unknown"}
    told = modules.run(
        FAKE_SERVICE
        + """
        const said = [];
        for (const next of [{status: 401, body: given}, {status: 403, body: given},
                            {status: 429, body: given}, {status: 503, body: given}, null]) {
          answer = next;
          await line.fetchJson("models").catch((error) =>
              said.push([error instanceof session.Refused, error.message]));
        }
        return said;
        """,
        problem,
    )
    refused = [True, "An API key is needed: the API key is unknown"]
    assert told[:2] == [refused, refused]
    assert [is_refused for is_refused, _ in told[2:]] == [False] * 3


@needs_node
def test_a_browser_that_keeps_nothing_keeps_the_key_for_the_page(modules: Modules) -> None:
    assert modules.run(
        FAKE_SERVICE
        + """
        const closed = new session.Session({storage: null, ask});
        const before = closed.key;
        closed.keep(KEY);
        const during = closed.key === KEY;
        closed.forget();
        return [before, during, closed.key];
        """
    ) == [None, True, None]


@needs_node
def test_the_page_knows_the_form_of_a_key(modules: Modules) -> None:
    key = new_key("page", ["read"], now=0.0).text
    texts = [key, f" {key}", key[:-1], "", key.replace("htf", "abc")]
    told = modules.run("return given.map(session.looksLikeKey);", texts)
    assert told == [True, False, False, False, False]


@needs_node
def test_every_socket_gets_a_ticket_of_its_own_and_rests_when_told(modules: Modules) -> None:
    told = modules.run(
        """
        const sockets = [];
        const timers = [];
        globalThis.WebSocket = class extends EventTarget {
          constructor(url, offered) { super(); sockets.push(offered); this.closed = false; }
          close() { this.closed = true; }
        };
        globalThis.setTimeout = (action, pause) => timers.push({action, pause});
        globalThis.clearTimeout = () => {};
        let number = 0;
        let refuse = false;
        const states = [];
        const line = new link.Link("ws://host/ws/live", {
            onMessage: () => {}, onState: (state) => states.push(state),
            protocols: async () => {
                if (refuse) throw new Error("no ticket");
                number += 1;
                return [`ticket.${number}`];
            }});
        const settle = () => new Promise((done) => setImmediate(done));
        line.open();
        line.hurry();
        await settle();
        const first = line.socket;
        first.dispatchEvent(new Event("close"));
        timers.at(-1).action();
        await settle();
        refuse = true;
        line.socket.dispatchEvent(new Event("close"));
        timers.at(-1).action();
        await settle();
        const lost = states.length;
        refuse = false;
        line.rest();
        line.hurry();
        await settle();
        const rested = sockets.length;
        line.open();
        await settle();
        return {sockets, states, lost, rested};
        """
    )
    assert told["sockets"] == [["ticket.1"], ["ticket.2"], ["ticket.3"]]
    assert (told["lost"], told["rested"]) == (3, 2)
