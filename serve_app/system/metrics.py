"""Every metric of the service: its name, what it means, its labels, and who tells it.

Ray exports each with `ray_` before its name. No label has an open set of values (no game id).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Literal

from serve_app.game.game_standing import UNPREDICTED

Kind = Literal["counter", "gauge", "histogram"]
Process = Literal["ingress", "shard", "feed", "hub", "webhooks"]
Labels = tuple[str, ...]  # the values, in the order of the metric's labels

NO_LABELS: Mapping[str, Labels] = MappingProxyType({})
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CHANGES = ("ended", "forecast", "game", "outcome", "prediction", "revision", "score")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Metric:
    """One metric; `labels` gives the values that each may have, `told_by` the processes."""

    name: str
    kind: Kind
    help: str
    told_by: tuple[Process, ...]
    labels: Mapping[str, Labels]
    buckets: tuple[float, ...] = SECONDS

    def label_values(self) -> list[Labels]:
        """Every combination of its labels."""
        return list(product(*self.labels.values()))


METRICS: list[Metric] = []


def _metric(
    name: str,
    kind: Kind,
    told_by: Process | tuple[Process, ...],
    what: str,
    labels: Mapping[str, Labels] = NO_LABELS,
) -> Metric:
    tellers = told_by if isinstance(told_by, tuple) else (told_by,)
    metric = Metric(name=f"halftime_{name}", kind=kind, help=what, told_by=tellers, labels=labels)
    METRICS.append(metric)
    return metric


# --- updates and games -----------------------------------------------------------------------

UPDATES = _metric(
    "updates_total",
    "counter",
    "shard",
    "Score updates by what became of them: taken, a duplicate of one taken before, or refused.",
    {"result": ("taken", "duplicate", "refused")},
)
CORRECTIONS = _metric(
    "corrections_total", "counter", "shard", "Updates that took points back (score_decreased)."
)
MISSING_MINUTES = _metric(
    "missing_minutes",
    "gauge",
    "shard",
    "Buffer gaps: minutes before 6:00 of Q2 in which no update came, over all live games.",
)
CARRIED_MINUTES = _metric(
    "carried_minutes_total",
    "counter",
    "hub",
    "Minutes without an update that frozen predictions carried forward.",
)
UNPREDICTED_GAMES = _metric(
    "unpredicted_games",
    "gauge",
    "shard",
    "Live games past 6:00 of Q2 without a prediction: due (it is to be made), insufficient (too "
    "many minutes saw no update), missed (halftime came first).",
    {"reason": UNPREDICTED},
)
COMMIT = _metric(
    "store_commit_seconds",
    "histogram",
    "shard",
    "One transaction of a shard, which may hold many updates, and the prediction that one of them "
    "asks for: from its begin until it is on disk.",
)
GAMES_MONITORED = _metric(
    "games_monitored",
    "gauge",
    "hub",
    "Registered games that are not over: heard of within a day, or registered within a week and "
    "not begun.",
)
GAMES_LIVE = _metric(
    "games_live", "gauge", "hub", "Games under way that were heard of in the last three hours."
)
FEED_LAG = _metric(
    "feed_lag_seconds",
    "gauge",
    "hub",
    "How long ago the last update of a live game came, repeats included: median and longest over "
    "the live games; absent where no game is live.",
    {"statistic": ("median", "longest")},
)

# --- from a score to a watcher ---------------------------------------------------------------

RESPONSES = _metric(
    "responses_total",
    "counter",
    "ingress",
    "HTTP answers by class of status, of requests that the gate let through.",
    {"status": ("1xx", "2xx", "3xx", "4xx", "5xx")},
)
TRIGGER_STORED = _metric(
    "trigger_stored_seconds",
    "histogram",
    "shard",
    "From the arrival at their shard of the updates that cross 6:00 of Q2 until the prediction is "
    "on disk.",
)
BROADCAST = _metric(
    "broadcast_seconds",
    "histogram",
    "feed",
    "From the writing of a change by its shard until it is handed to the watchers of a replica.",
    {"type": CHANGES},
)
CHANGES_TOLD = _metric(
    "changes_total",
    "counter",
    "hub",
    "Changes in the journal, by type.",
    {"type": CHANGES},
)
WATCHERS = _metric("watchers", "gauge", "feed", "Connected watchers of the live feed.")
DROPPED_WATCHERS = _metric(
    "dropped_watchers_total", "counter", "feed", "Watchers dropped because they were too slow."
)

# --- forecasts -------------------------------------------------------------------------------

FORECAST = _metric(
    "forecast_seconds",
    "histogram",
    ("ingress", "shard"),
    "One call for forecasts, which may be of many games, by component: dejavu (similarity "
    "search), lstm (network), ensemble (weights, calibration, interval). Composed, a model's time "
    "includes the way to its deployment.",
    {"component": ("dejavu", "lstm", "ensemble")},
)
ROLLING_PREDICTIONS = _metric(
    "rolling_predictions",
    "gauge",
    "hub",
    "Resolved predictions that the rolling figures rest on: the newest, at most 200.",
)
ROLLING_MAE = _metric(
    "rolling_mae_points",
    "gauge",
    "hub",
    "Mean absolute error of the halftime margin in points over the rolling predictions: of the "
    "ensemble, and of persistence (the margin stays).",
    {"forecast": ("ensemble", "persistence")},
)
ROLLING_COVERAGE = _metric(
    "rolling_coverage_ratio",
    "gauge",
    "hub",
    "Share of the rolling predictions whose interval held the outcome.",
)
COVERAGE_TARGET = _metric(
    "rolling_coverage_target_ratio", "gauge", "hub", "The coverage that those intervals promise."
)
DRIFT_ALARM = _metric(
    "drift_alarm",
    "gauge",
    "ingress",
    "1 where outcomes no longer fall where the calibrated forecasts say they do, else 0.",
)

# --- processes and webhooks ------------------------------------------------------------------

INGRESS_REPLICAS = _metric("ingress_replicas", "gauge", "hub", "Ingress replicas that report.")
FEED_REPLICAS = _metric("feed_replicas", "gauge", "hub", "Live feed replicas that report.")
SHARDS = _metric("shards", "gauge", "hub", "Shards that report.")
SHARDS_EXPECTED = _metric("shards_expected", "gauge", "hub", "Shards that there should be.")
WEBHOOK_DELIVERIES = _metric(
    "webhook_deliveries_total",
    "counter",
    "webhooks",
    "Attempts to deliver a webhook by outcome: delivered (2xx), failed (it is tried again), dead "
    "(given up: 410, or the last attempt of ten).",
    {"outcome": ("delivered", "failed", "dead")},
)
WEBHOOKS_PENDING = _metric(
    "webhooks_pending", "gauge", "webhooks", "Webhook deliveries that wait to be made."
)
