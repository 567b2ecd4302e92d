"""Tonight: where the cards stand."""

from tests.serve_app.dashboard.page_modules import ARRIVAL, Modules, message, needs_node, view

TEN_MINUTES = 600_000

TONIGHT = """
const tonight = night.emptyNight();
const cards = new tonight_view.TonightView({querySelectorAll: () => []}, {night: tonight});
const hear = (message, at) => cards.take(message, night.apply(tonight, message, at));
const stands = () => Object.fromEntries(cards.phases);
hear(given.snapshot, given.arrival);
"""


@needs_node
def test_a_card_that_ends_settles_after_a_while_or_when_nobody_looks(modules: Modules) -> None:
    snapshot = message("snapshot", games=[view("early"), view("late"), view("on")])
    ends = [message("ended", game_id=game_id) for game_id in ("early", "late")]
    told = modules.run(
        TONIGHT
        + """
        const [early, late] = given.ends;
        const seen = [];
        const settle = (...ids) => { cards.settle(...ids); seen.push(stands()); };
        hear(early, given.arrival);
        hear(late, given.arrival + 1000);
        settle(night.longOver(tonight, given.arrival + given.pause));
        settle(night.longOver(tonight, given.arrival + given.pause + 1));
        settle();
        return seen;
        """,
        {
            "snapshot": snapshot.model_dump(mode="json"),
            "ends": [end.model_dump(mode="json") for end in ends],
            "arrival": ARRIVAL,
            "pause": TEN_MINUTES,
        },
    )
    assert told == [
        {"early": "live", "late": "live", "on": "live"},
        {"early": "settled", "late": "live", "on": "live"},
        {"early": "settled", "late": "settled", "on": "live"},
    ]


@needs_node
def test_what_is_said_of_a_game_that_has_left_is_passed_over(modules: Modules) -> None:
    snapshot = message("snapshot", games=[view("on")])
    told = modules.run(
        TONIGHT
        + """
        cards.take({type: "silence", game_id: "gone"}, ["gone"]);
        cards.settle(["gone"]);
        return stands();
        """,
        {"snapshot": snapshot.model_dump(mode="json"), "arrival": ARRIVAL},
    )
    assert told == {"on": "live"}
