"""The certificate of a chaos run: what was lost, doubled or changed, and how long it was away."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from serve_app.chaos.audit import Audit
from serve_app.chaos.outages import KindOutages
from serve_app.replay.report import Report

SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under what the run was made: the same seed and versions give the same plan and games."""

    seed: int
    kills: int
    games: int
    seconds: float
    placement: str
    ingress_replicas: int
    shards: int
    service_version: str
    model_version: str
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Everything a chaos run found.

    So many updates were `asked_again` after the run; `answered_otherwise` names those that were not
    answered as at first.
    """

    conditions: Conditions
    audit: Audit
    asked_again: int
    answered_otherwise: Sequence[str]
    replay: Report
    outages: Sequence[KindOutages]
    kills: Sequence[dict[str, Any]]

    def failures(self) -> list[str]:
        """What did not hold, in words; empty where nothing was lost, doubled, missing or changed.

        Outages beyond their goal are told in the table and are no failure here.
        """
        found = {
            "acknowledged updates lost": self.audit.lost,
            "updates in the store more than once": self.audit.doubled,
            "updates that say something else in the store": self.audit.differing,
            "predictions missing": self.audit.predictions_missing,
            "predictions doubled": self.audit.predictions_doubled,
            "predictions changed": self.audit.predictions_changed,
            "repeats answered otherwise": self.answered_otherwise,
        }
        said = [f"{len(ids)} {what}: {_some(ids)}" for what, ids in found.items() if ids]
        refused = self.replay.traffic.rejected
        if refused:
            said.append(f"{refused} updates refused: {self.replay.traffic.problems[:1]}")
        return said + self.replay.failures()

    def as_json(self) -> dict[str, Any]:
        """The certificate as plain data."""
        return {
            **asdict(self),
            "replay": self.replay.as_json(),
            "failures": self.failures(),
        }


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")
