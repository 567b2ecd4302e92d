"""The past games most like one game: asked for with each minute completed."""

import pytest

from tests.serve_app.dashboard.page_modules import Modules, needs_node

SIMILAR = """
const timers = [];
globalThis.setTimeout = (action, pause) => {
  const timer = {action, pause};
  timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
};
const asked = [];
let chance = 0.5;
let changes = 0;
const alike = new similar_games.SimilarGames({
  fetchJson: (path) => new Promise((answer, fail) => asked.push({path, answer, fail})),
  onChange: () => { changes += 1; }, random: () => chance});
const pauses = () => timers.map(({pause}) => pause);
const pass = () => { timers.shift().action(); };
const settle = () => new Promise((done) => setImmediate(done));
const failure = (status) => Object.assign(new Error(String(status)), {status});
"""


@needs_node
def test_who_opens_a_game_asks_at_once_and_then_with_each_minute(modules: Modules) -> None:
    told = modules.run(
        SIMILAR
        + """
        const seen = [];
        const follow = (elapsed) => {
          alike.follow(elapsed);
          seen.push(pauses());
          while (timers.length > 0) pass();
        };
        alike.begin("a/b");
        [undefined, 125, 130, 180].forEach(follow);
        alike.renew();
        follow(181);
        alike.begin("not begun");
        [null, 30, 60].forEach(follow);
        return {seen, paths: asked.map(({path}) => path)};
        """
    )
    assert told["seen"] == [[], [0], [], [1000], [0], [], [], [1000]]
    assert told["paths"] == [
        *["games/a%2Fb/similar?limit=10"] * 3,
        "games/not%20begun/similar?limit=10",
    ]


@needs_node
@pytest.mark.parametrize(("chance", "after_a_minute", "retry"), [(0, 0, 3000), (1, 2000, 6000)])
def test_those_who_see_the_same_do_not_ask_all_at_once(
    modules: Modules, chance: float, after_a_minute: float, retry: float
) -> None:
    told = modules.run(
        SIMILAR
        + """
        chance = given;
        alike.begin("g");
        alike.follow(30);
        alike.follow(60);
        const first = pauses();
        pass();
        asked[0].fail(failure(503));
        await settle();
        return [first, pauses()];
        """,
        chance,
    )
    assert told == [[after_a_minute], [retry]]


@needs_node
def test_an_answer_that_comes_late_does_not_replace_a_newer_one(modules: Modules) -> None:
    told = modules.run(
        SIMILAR
        + """
        alike.begin("g");
        for (const elapsed of [60, 120]) {
          alike.follow(elapsed);
          pass();
        }
        asked[1].answer({minute: 2});
        await settle();
        asked[0].answer({minute: 1});
        await settle();
        const newest = alike.answer;
        alike.begin("other");
        return {newest, changes, begun: alike.answer};
        """
    )
    assert told == {"newest": {"minute": 2}, "changes": 1, "begun": None}


@needs_node
def test_what_failed_is_asked_for_once_more_while_it_is_looked_at(modules: Modules) -> None:
    told = modules.run(
        SIMILAR
        + """
        const left = [];
        const failWith = async (status, close = () => {}) => {
          pass();
          close();
          asked.at(-1).fail(failure(status));
          await settle();
          left.push(timers.length);
        };
        const reopen = () => { alike.renew(); alike.follow(60); };
        alike.begin("g");
        reopen();
        await failWith(503);
        await failWith(503);
        reopen();
        await failWith(404);
        reopen();
        await failWith(503, () => alike.rest());
        reopen();
        pass();
        asked.at(-1).answer({minute: 1});
        await settle();
        return {left, asked: asked.length, answer: alike.answer};
        """
    )
    assert told == {"left": [1, 0, 0, 0], "asked": 5, "answer": {"minute": 1}}
