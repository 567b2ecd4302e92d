"""What the service answered to the updates, kept while a replay runs."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serve_app.replay.delivery import REPEATABLE
from serve_app.replay.poll_stream import Update

PROBLEMS_KEPT = 5

Made = tuple[datetime, float]  # when a prediction was made, and its point forecast


@dataclass(slots=True)
class Tally:
    """Counts over all answers.

    `posted` counts the updates that got a final answer, each once; `resent` those of a list that
    had to be sent again. `predictions` holds every distinct prediction seen in the answers of a
    game, so more than one is a doubled one. `insufficient` holds the minutes without an update.
    `ends` holds the answers to the end of each game. `on_result` is called with each update that
    was answered and its result.
    """

    on_result: Callable[[Update, dict[str, Any]], None] | None = None
    posted: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    resent: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, Any]] = field(default_factory=list)
    predictions: dict[str, set[Made]] = field(default_factory=dict)
    insufficient: dict[str, list[int]] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take_list(self, updates: Sequence[Update], items: Sequence[dict[str, Any]]) -> list[Update]:
        """Count a list's answers, in the order of the updates; returns those to send again."""
        again: list[Update] = []
        for update, item in zip(updates, items, strict=True):
            if item["status"] in REPEATABLE:
                again.append(update)
            elif item.get("result") is not None:
                self.take_result(update, item["result"])
            else:
                self.take_problem(item.get("problem") or {"status": item["status"]})
        self.resent += len(again)
        return again

    def take_result(self, update: Update, result: dict[str, Any]) -> None:
        """Count one answered update."""
        if self.on_result is not None:
            self.on_result(update, result)
        self.posted += 1
        self.accepted += bool(result["accepted"])
        self.duplicates += bool(result["duplicate"])
        if result.get("flags"):
            self.flags.update(result["flags"])
        prediction = result.get("prediction")
        if prediction is not None:
            made = (datetime.fromisoformat(prediction["made_at"]), prediction["point_forecast"])
            self.predictions.setdefault(result["game_id"], set()).add(made)
        insufficient = result.get("insufficient_pattern")
        if insufficient is not None:
            self.insufficient[result["game_id"]] = insufficient["missing_minutes"]

    def take_problem(self, problem: dict[str, Any], updates: int = 1) -> None:
        """Count `updates` that were refused for one reason; the first problems are kept."""
        self.posted += updates
        self.rejected += updates
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)
