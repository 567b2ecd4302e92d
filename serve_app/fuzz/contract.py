"""The OpenAPI description against the service: every check of schemathesis, stateful included."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.schemas import BaseSchema

PHASES = ("examples", "coverage", "fuzzing", "stateful")
# That a game is registered does not mean that it has a prediction, or
# anything that past games could be like, and the answer says so.
NOT_YET = ("prediction_not_made", "insufficient_pattern", "nothing_to_compare")


@dataclass(slots=True)
class ContractReport:
    """What a run sent, what came back, and what was wrong with it."""

    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def server_errors(self) -> int:
        """Answers with a status of 500 and up."""
        return sum(count for (_, status), count in self.answers.items() if status >= 500)

    @property
    def holds(self) -> bool:
        """Whether the service kept to its description in all that was sent."""
        return not self.failures and not self.errors and not self.server_errors


def check_contract(
    url: str,
    *,
    seed: int,
    examples: int,
    phases: Collection[str] = PHASES,
    seconds: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> ContractReport:
    """Hold the service at `url` against its `/openapi.json`.

    Args:
        url: where the service listens.
        seed: of all that is generated.
        examples: requests per operation in the phases `fuzzing` and `stateful`; `coverage` sends
            each boundary of the description once.
        phases: which of `PHASES` run.
        seconds: the run ends after so many, at the latest.
        headers: sent with every request, such as an API key.
    """
    config = SchemathesisConfig(seed=seed, max_time=seconds)
    project = config.projects.default
    project.headers = dict(headers or {})
    project.continue_on_failure = True
    project.generation.max_examples = examples
    project.generation.database = "none"
    # Made-up keys beside the good one are two keys; the check of what is unguarded sends its own.
    project.generation.with_security_parameters = False
    # A list that is too long is answered with 413, which the checks do not count as a refusal.
    project.checks.negative_data_rejection.expected_statuses.append("413")
    for phase in PHASES:
        project.phases.get_by_name(name=phase).enabled = phase in phases
    schema = schemathesis.openapi.from_url(
        f"{url}/openapi.json", config=config, headers=project.headers
    )
    _expect_what_no_schema_says(schema)
    report = ContractReport()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(event.phase.value, event.recorder, report)
        elif isinstance(event, events.NonFatalError):
            report.errors.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            report.errors.append(repr(event.exception))
        elif isinstance(event, events.Interrupted):
            raise KeyboardInterrupt  # what was not sent was not held
    return report


def _expect_what_no_schema_says(schema: BaseSchema) -> None:
    """Drop the failures that rest on a rule which JSON Schema and OpenAPI cannot express."""

    @schema.hook("filter_failure")
    def filter_failure(
        context: schemathesis.HookContext,  # noqa: ARG001 - the hook's signature
        failure: Failure,
        case: schemathesis.Case[Any],
        response: schemathesis.Response,
    ) -> bool:
        body = case.body
        if "positive_data_acceptance" in failure.checks and isinstance(body, dict):
            # Two fields that differ.
            return not (
                case.operation.label == "POST /games" and body["home_team"] == body["away_team"]
            )
        if "ensure_resource_availability" in failure.checks:
            return not any(name in response.text for name in NOT_YET)
        return True


def _count(phase: str, recorder: ScenarioRecorder, report: ContractReport) -> None:
    for case_id, interaction in recorder.interactions.items():
        report.cases[phase] += 1
        label = recorder.cases[case_id].value.operation.label
        if interaction.response is not None:
            report.answers[label, interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is not Status.FAILURE or check.failure_info is None:
                continue
            failure = check.failure_info.failure
            response = recorder.interactions[case_id].response
            answer = "no answer"
            if response is not None:  # which may be a file and no text
                answer = (
                    f"{response.status_code} {response.content[:1000].decode(errors='replace')}"
                )
            report.failures.setdefault(
                f"{phase}: {failure.operation}: {check.name}: {failure.message}",
                f"{check.failure_info.code_sample}\n{answer}",
            )
