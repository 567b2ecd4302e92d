"""The record: fetched as outcomes come, told honestly."""

from typing import Any

import pytest

from serve_app.schemas import Accuracy, DriftAlarm, Skill
from tests.serve_app.dashboard.page_modules import (
    NOW,
    OUTCOME,
    PREDICTION,
    Modules,
    needs_node,
    view,
)

GOOD = Skill(mae=4.5, rmse=5.9, crps=3.3, coverage=0.9467, width=23.5, interval_score=29.0)
PLAIN = Skill(mae=4.75, rmse=6.1, crps=3.4, coverage=0.94, width=24.5, interval_score=31.0)
CALM = DriftAlarm(games=214, location=1.32, spread=0.4, highest=4.8, raised=False)


def accuracy(**fields: object) -> dict[str, Any]:
    known: dict[str, object] = {
        "resolved": 214, "predicted": 219, "drift_alarm": CALM, "coverage_target": 0.95,
        "ensemble": GOOD, "persistence": PLAIN,
    }  # fmt: skip
    return Accuracy.model_validate(known | fields).model_dump(mode="json")


@needs_node
def test_the_record_in_words_and_figures(modules: Modules) -> None:
    told = modules.run(
        """
        return {summary: record_words.summaryOf(given), figures: record_words.recordOf(given),
                rows: record_words.skillRows(given),
                alarm: record_words.alarmText(given.drift_alarm)};
        """,
        accuracy(),
    )
    assert told["summary"] == (
        "214 outcomes: off by 4.50 points on average, persistence by 4.75; "
        "94.7\u202f% inside their interval, promised 95\u202f%."
    )
    assert told["figures"]["mae-note"] == "5.3\u202f% under persistence"
    assert told["rows"][-1] == ["Coverage, promised 95\u202f%", "94.7\u202f%", "94\u202f%"]
    assert told["alarm"].startswith("No drift seen after 214 games")
    assert "1.32 for 1" in told["alarm"]


@needs_node
@pytest.mark.parametrize(
    ("resolved", "warning"),
    [
        (1, "One outcome is too few to judge by."),
        (29, "29 outcomes are too few to judge by."),
        (30, ""),
    ],
)
def test_few_outcomes_claim_nothing(modules: Modules, resolved: int, warning: str) -> None:
    days = [{"level": 0.5, "observed": 1.0, "predictions": resolved}]
    summary, note, figures = modules.run(
        """
        const {accuracy, calibration} = given;
        return [record_words.summaryOf(accuracy), record_words.calibrationNote(calibration),
                record_words.recordOf(accuracy)];
        """,
        {"accuracy": accuracy(resolved=resolved, predicted=resolved), "calibration": days},
    )
    assert summary.endswith(warning or "promised 95\u202f%.")
    assert note.endswith(warning or "30 outcomes.")
    assert ("under persistence" in figures["mae-note"]) is (warning == "")


@needs_node
def test_before_the_first_outcome_there_are_dashes(modules: Modules) -> None:
    nothing = accuracy(resolved=0, predicted=0, ensemble=None, persistence=None)
    some = accuracy(resolved=0, predicted=3, ensemble=None, persistence=None)
    told = modules.run(
        """
        return {said: given.map(record_words.summaryOf), figures: record_words.recordOf(given[1]),
                rows: record_words.skillRows(given[1]), note: record_words.calibrationNote([]),
                scatter: record_words.scatterNote(0, 0)};
        """,
        [None, nothing, some],
    )
    assert told["said"] == [
        "No figures yet.",
        "Nothing has been predicted yet.",
        "No outcome yet; 3 predicted.",
    ]
    assert (told["figures"]["mae"], told["rows"]) == ("–", [])
    assert told["note"] == "No outcomes to compare with yet."


@needs_node
def test_the_drift_alarm_in_plain_words(modules: Modules) -> None:
    alarms = [
        DriftAlarm(games=0, location=1, spread=1, highest=1, raised=False),
        DriftAlarm(games=50, location=140.2, spread=1, highest=140.2, raised=True),
        DriftAlarm(games=50, location=1, spread=100, highest=140.2, raised=True),
        DriftAlarm(games=50, location=120, spread=110, highest=140.2, raised=True),
        DriftAlarm(games=50, location=99, spread=20, highest=140.2, raised=True),
    ]
    none, too_high, too_wide, both, past = modules.run(
        "return given.map(record_words.alarmText);",
        [alarm.model_dump(mode="json") for alarm in alarms],
    )
    assert none == "Drift: no finished game has been learned from yet."
    high, wide = "outcomes lie too high or too low", "intervals are too narrow or too wide"
    stood = (
        "One of two bets against the forecasts stood at 140 for 1; that happens to a true "
        "forecaster once in 50 at most. Look at the model."
    )
    assert too_high == f"Drift alarm after 50 games: {high}. {stood}"
    assert too_wide == f"Drift alarm after 50 games: {wide}. {stood}"
    assert both == f"Drift alarm after 50 games: {high}; {wide}. {stood}"
    # Neither bet stands so high any more: which of them raised the alarm is not known.
    assert past == f"Drift alarm after 50 games. {stood}"


def games() -> list[dict[str, Any]]:
    told = []
    for number, (half, covered) in enumerate([(10, True), (-60, False)]):
        outcome = OUTCOME.model_copy(
            update={
                "halftime_margin": half,
                "covered": covered,
                "resolved_at": NOW.replace(minute=number),
            }
        )
        prediction = PREDICTION.model_copy(update={"outcome": outcome})
        told.append(view(f"g{number}", prediction=prediction).model_dump(mode="json"))
    late = PREDICTION.model_copy(update={"outcome": OUTCOME, "made_after_halftime": True})
    return [
        *told,
        view("late", prediction=late).model_dump(mode="json"),
        view("open", prediction=PREDICTION).model_dump(mode="json"),
        view("new").model_dump(mode="json"),
    ]


@needs_node
def test_outcomes_against_forecasts_newest_first(modules: Modules) -> None:
    told = modules.run(
        """
        const shown = record_words.resolvedOf(given);
        return {ids: shown.map((game) => game.game_id), rows: record_words.outcomeRows(given, 1),
                figure: record_figures.scatterFigure(shown),
                label: record_words.scatterLabel(shown),
                note: record_words.scatterNote(2, 9)};
        """,
        games(),
    )
    assert told["ids"] == ["g1", "g0"]
    assert told["rows"] == [["DAL at DEN", "DEN +7.4", "DAL +60", "2.6", "6.0", "outside"]]
    assert [mark["shape"] for mark in told["figure"]["marks"]] == ["ring", "dot"]
    assert told["figure"]["x"]["min"] == told["figure"]["y"]["min"] == -60
    assert told["label"] == "2 outcomes against their forecasts; 1 inside their interval."
    assert told["note"].startswith("2 outcomes, the newest of 9.")


@needs_node
def test_days_beside_persistence(modules: Modules) -> None:
    day = {"coverage_target": 0.95, "resolved": 9}
    days = [
        day | {"day": f"2024-01-{number:02d}", "ensemble": GOOD.model_dump(),
               "persistence": PLAIN.model_dump()}
        for number in range(1, 15)
    ]  # fmt: skip
    told = modules.run(
        """
        return {rows: record_words.dayRows(given), figure: record_figures.daysFigure(given),
                one: record_figures.daysFigure(given.slice(0, 1)),
                label: record_words.daysLabel(given)};
        """,
        days,
    )
    assert told["rows"][0] == ["Jan 14, 2024", "9", "4.50", "4.75", "95\u202f%", "29.0", "31.0"]
    assert len(told["figure"]["x"]["ticks"]) <= 6
    assert told["figure"]["lines"][1]["points"][13] == [13, 4.5]
    assert told["one"]["x"] == {"min": -0.5, "max": 0.5, "ticks": [[0, "Jan 1"]]}
    assert told["label"].startswith("Mean error by day over 14 days, below persistence on 14;")


@needs_node
def test_the_calibration_stands_beside_the_diagonal(modules: Modules) -> None:
    levels = [
        {"level": 0.25, "observed": 0.2, "predictions": 40},
        {"level": 0.75, "observed": 0.8, "predictions": 40},
        {"level": 0.95, "observed": 0.0, "predictions": 0},
    ]
    figure, label = modules.run(
        "return [record_figures.calibrationFigure(given), record_words.calibrationLabel(given)];",
        levels,
    )
    assert figure["lines"][0]["points"] == [[0, 0], [1, 1]]
    assert figure["lines"][1]["points"] == [[0.25, 0.2], [0.75, 0.8]]
    assert "25\u202f%: 20\u202f%" in label


RECORD = """
const timers = [];
globalThis.setTimeout = (action, pause) => { timers.push({action, pause}); return timers.length; };
globalThis.clearTimeout = () => { timers.pop(); };
const asked = [];
let fails = false;
let live = true;
let changes = 0;
let chance = 0;
const kept = new record.Record({
  fetchJson: async (path) => { asked.push(path); if (fails) throw new Error(path); return {path}; },
  mayAsk: () => live, onChange: () => { changes += 1; }, random: () => chance});
const settle = async () => {
  await timers.pop().action();
};
"""


@needs_node
def test_outcomes_of_a_moment_are_asked_for_together(modules: Modules) -> None:
    told = modules.run(
        RECORD
        + """
        for (let count = 0; count < 5; count += 1) kept.outcomeCame();
        const pauses = timers.map(({pause}) => pause);
        await settle();
        kept.wantDays(true);
        await settle();
        return {pauses, asked, changes, days: kept.days, left: timers.length};
        """
    )
    assert told == {
        "pauses": [1500],
        "asked": ["accuracy", "accuracy", "accuracy/days"],
        "changes": 2,
        "days": {"path": "accuracy/days"},
        "left": 0,
    }


@needs_node
def test_a_record_that_cannot_be_had_is_asked_for_again(modules: Modules) -> None:
    told = modules.run(
        RECORD
        + """
        fails = true;
        kept.refresh(0);
        await settle();
        const retry = timers[0].pause;
        live = false;
        await settle();
        return {retry, left: timers.length, accuracy: kept.accuracy};
        """
    )
    assert told == {"retry": 10_000, "left": 0, "accuracy": None}


@needs_node
def test_what_is_wanted_while_an_answer_is_awaited_is_asked_for_next(modules: Modules) -> None:
    told = modules.run(
        RECORD
        + """
        kept.refresh(15000);
        kept.refresh(0);
        const pauses = timers.map(({pause}) => pause);
        const first = timers.pop().action();
        kept.outcomeCame();
        const meanwhile = timers.length;
        await first;
        const next = timers.length;
        await settle();
        kept.wantDays(true);
        await settle();
        kept.wantDays(false);
        kept.refresh(0);
        await settle();
        return {pauses, meanwhile, next, asked};
        """
    )
    assert told == {
        "pauses": [0],
        "meanwhile": 0,
        "next": 1,
        "asked": ["accuracy", "accuracy", "accuracy", "accuracy/days", "accuracy"],
    }


@needs_node
@pytest.mark.parametrize(("chance", "first", "retry"), [(0, 1500, 10_000), (1, 5000, 20_000)])
def test_those_who_hear_of_the_same_outcome_do_not_ask_all_at_once(
    modules: Modules, chance: float, first: float, retry: float
) -> None:
    told = modules.run(
        RECORD
        + """
        chance = given;
        fails = true;
        kept.outcomeCame();
        const pauses = timers.map(({pause}) => pause);
        await settle();
        return [...pauses, ...timers.map(({pause}) => pause)];
        """,
        chance,
    )
    assert told == [first, retry]


@needs_node
def test_an_answer_that_comes_after_all_was_forgotten_is_not_kept(modules: Modules) -> None:
    told = modules.run(
        RECORD
        + """
        const answers = [];
        kept.fetchJson = (path) => new Promise((done) => answers.push(() => done({path})));
        const rest = () => new Promise((done) => setImmediate(done));
        const seen = [];
        const askAndForget = async (answered) => {
          kept.refresh(0);
          timers.pop().action();
          for (let count = 0; count < answered; count += 1) {
            answers.shift()();
            await rest();
          }
          globalThis.clearTimeout = () => {};
          kept.forget();
          answers.shift()();
          await rest();
          seen.push([kept.accuracy, kept.days, timers.length]);
        };
        await askAndForget(0);
        kept.wantsDays = true;
        await askAndForget(1);
        const before = changes;
        kept.refresh(0);
        timers.pop().action();
        for (let count = 0; count < 2; count += 1) {
          answers.shift()();
          await rest();
        }
        return {seen, new: kept.days, changes: [before, changes]};
        """
    )
    assert told == {
        "seen": [[None, None, 0], [None, None, 0]],
        "new": {"path": "accuracy/days"},
        "changes": [2, 3],
    }


@needs_node
def test_what_was_to_be_asked_is_forgotten_as_well(modules: Modules) -> None:
    left, again = modules.run(
        RECORD
        + """
        kept.outcomeCame();
        kept.forget();
        const left = timers.length;
        kept.refresh(0);
        return [left, timers.length];
        """
    )
    assert (left, again) == (0, 1)
