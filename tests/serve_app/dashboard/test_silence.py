"""Feeds that fell silent."""

import pytest

from tests.serve_app.dashboard.page_modules import Modules, needs_node

NOW = 10_000_000


@needs_node
@pytest.mark.parametrize(
    ("state", "clock", "silent_seconds", "expected"),
    [
        ("live", "4:10", 61, True),
        ("live", "4:10", 59, False),
        ("predicted", "0:04.2", 61, True),
        ("resolved", "9:00", 61, True),
        ("missed", "9:00", 61, True),
        ("resolved", "0:00", 900, False),
        ("resolved", "0:00", 1_201, True),
        ("ended", "0:00", 5_000, False),
        ("registered", None, None, False),
    ],
)
def test_a_game_under_way_is_silent_after_a_minute_but_not_in_a_break(
    modules: Modules, state: str, clock: str | None, silent_seconds: int | None, expected: bool
) -> None:
    heard = None if silent_seconds is None else NOW - silent_seconds * 1000
    game = {"state": state, "time_remaining": clock, "heardAt": heard}
    assert modules.run(f"return silence.isSilent(given, {NOW});", game) is expected


WATCH = """
const asked = [];
let lag = 0;
const changed = [];
const watch = new silence.SilenceWatch({
    ask: async (id) => { asked.push(id); return lag; },
    onChange: (id) => changed.push(id)});
const game = {game_id: "g", state: "live", time_remaining: "4:10", heardAt: 0, stale: false};
const tonight = {games: new Map([["g", game]])};
const check = async (now, live = true) => {
  watch.check(tonight, now, live);
  await new Promise((done) => setImmediate(done));
  return [changed.splice(0), game.stale];
};
"""


@needs_node
def test_a_feed_that_only_repeats_itself_is_not_called_stale(modules: Modules) -> None:
    told = modules.run(
        WATCH
        + """
        lag = 4;
        const first = await check(70_000);
        const again = await check(80_000);
        return {first, again, asked, heardAt: game.heardAt};
        """
    )
    assert told == {
        "first": [[], False],
        "again": [[], False],
        "asked": ["g"],
        "heardAt": 66_000,
    }


@needs_node
def test_a_stale_feed_is_confirmed_flagged_and_cleared_when_it_is_heard_again(
    modules: Modules,
) -> None:
    told = modules.run(
        WATCH
        + """
        lag = 70;
        const flagged = await check(70_000);
        const asked_once = [...asked];
        await check(75_000);
        const often = asked.length;
        game.heardAt = 76_000;
        const cleared = await check(77_000);
        return {flagged, asked_once, often, cleared};
        """
    )
    assert told == {
        "flagged": [["g"], True],
        "asked_once": ["g"],
        "often": 1,
        "cleared": [["g"], False],
    }


@needs_node
def test_nothing_is_called_stale_while_the_link_itself_is_down(modules: Modules) -> None:
    told = modules.run(
        WATCH
        + """
        lag = 70;
        const down = await check(70_000, false);
        const unasked = asked.length;
        await check(71_000);
        const lost = await check(72_000, false);
        lag = null;
        const away = await check(200_000);
        return {down, unasked, lost, away};
        """
    )
    assert told == {
        "down": [[], False],
        "unasked": 0,
        "lost": [["g"], False],
        "away": [[], False],
    }


@needs_node
@pytest.mark.parametrize("instead", ["nothing", "another"])
def test_the_answer_on_a_game_that_has_left_changes_nothing(modules: Modules, instead: str) -> None:
    told = modules.run(
        WATCH
        + """
        lag = 70;
        watch.check(tonight, 70_000, true);
        const other = {...game};
        tonight.games = new Map(given === "another" ? [["g", other]] : []);
        await new Promise((done) => setImmediate(done));
        return {asked, changed, stale: [game.stale, other.stale]};
        """,
        instead,
    )
    assert told == {"asked": ["g"], "changed": [], "stale": [False, False]}
