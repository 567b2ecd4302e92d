import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from serve_app.chaos.audit import Audit
from serve_app.chaos.certificate import Certificate, Conditions
from serve_app.chaos.certificate_table import print_certificate
from serve_app.chaos.outages import KindOutages
from serve_app.replay.agreement import ForecastQuality, PatternAgreement, PredictionCounts
from serve_app.replay.report import Report
from serve_app.replay.traffic import Traffic

AUDIT = Audit(
    acknowledged=1_000,
    duplicates=3,
    found=1_000,
    lost=[],
    doubled=[],
    differing=[],
    predictions_expected=2,
    predictions_made=2,
    predictions_missing=[],
    predictions_doubled=[],
    predictions_changed=[],
)
TRAFFIC = Traffic(
    updates=1_000, accepted=1_000, duplicates=3, rejected=0, resent=0, flags={}, requests=10,
    repeats={"ConnectError": 4}, seconds=9.0, updates_per_second=111.1, latency_ms={}, problems=[],
)  # fmt: skip
REPORT = Report(
    selection="the chaos run",
    predictions=PredictionCounts(
        games=2, once=2, missing=[], doubled=[], insufficient={}, answers_disagree=[]
    ),
    patterns=PatternAgreement(
        frozen_equal=2, current_equal=2, revised=0, stale_by_drop=[], unexplained=[]
    ),
    quality=ForecastQuality(
        resolved=2, outcomes_equal=2, outcomes_wrong=[], outcomes_stale_by_drop=[],
        forecast=None, persistence_mae=None,
    ),
    offline=None,
    traffic=TRAFFIC,
    noise={},
)  # fmt: skip
CONDITIONS = Conditions(
    seed=7, kills=4, games=2, seconds=60.0, placement="fused", ingress_replicas=2, shards=2,
    service_version="1", model_version="m", cores=2,
)  # fmt: skip
OUTAGES = [
    KindOutages(
        kind="shard", kills=3, median=1.25, longest=2.5, goal=2.0, recovery_median=3.0,
        feed_longest=0.0,
    ),
    KindOutages(
        kind="live hub", kills=1, median=0.5, longest=0.5, goal=None, recovery_median=3.0,
        feed_longest=0.0,
    ),
]  # fmt: skip
CERTIFICATE = Certificate(
    conditions=CONDITIONS,
    audit=AUDIT,
    asked_again=100,
    answered_otherwise=[],
    replay=REPORT,
    outages=OUTAGES,
    kills=[],
)


def test_a_run_that_kept_everything_fails_nothing_even_where_an_outage_was_long():
    assert CERTIFICATE.failures() == []
    assert json.loads(json.dumps(CERTIFICATE.as_json()))["audit"]["acknowledged"] == 1_000


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("lost", "1 acknowledged updates lost: g1#4"),
        ("doubled", "1 updates in the store more than once"),
        ("differing", "1 updates that say something else"),
        ("predictions_missing", "1 predictions missing"),
        ("predictions_doubled", "1 predictions doubled"),
        ("predictions_changed", "1 predictions changed"),
    ],
)
def test_each_fault_of_the_audit_is_a_failure(fault: str, words: str):
    faults: dict[str, Any] = {fault: ["g1#4"]}
    doctored = replace(CERTIFICATE, audit=replace(AUDIT, **faults))
    (failure,) = doctored.failures()
    assert words in failure
    assert doctored.as_json()["failures"] == [failure]


def test_repeats_answered_otherwise_refusals_and_the_replays_own_findings_are_failures():
    refused = replace(TRAFFIC, rejected=2, problems=[{"status": 404}])
    patterns = replace(REPORT.patterns, unexplained=["g1"])
    doctored = replace(
        CERTIFICATE,
        answered_otherwise=["g1#4"],
        replay=replace(REPORT, traffic=refused, patterns=patterns),
    )
    again, rejected, pattern = doctored.failures()
    assert again == "1 repeats answered otherwise: g1#4"
    assert rejected == "2 updates refused: [{'status': 404}]"
    assert "pattern that nothing explains" in pattern


def test_the_table_tells_the_goals_and_the_failures():
    printed = StringIO()
    doctored = replace(CERTIFICATE, audit=replace(AUDIT, lost=["g1#4"]))
    print_certificate(Console(file=printed, width=120), doctored)
    text = printed.getvalue()
    assert "1,000" in text
    assert "≤ 2 missed" in text
    assert "4 ConnectError" in text
    assert "FAILED: 1 acknowledged updates lost: g1#4" in text
