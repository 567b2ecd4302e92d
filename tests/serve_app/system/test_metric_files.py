"""The files for operators against the definitions: documents, alert rules, dashboard.

What Prometheus itself makes of them is asked of `promtool` where it is installed (Debian's package
`prometheus`), and what Grafana does of the models of its own schema.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from serve_app.process.environment import METRICS_PORT
from serve_app.process.service_process import ROOT
from serve_app.schemas import ChangeType
from serve_app.system.metrics import CHANGES, METRICS

CONFIGS = ROOT / "configs"
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((CONFIGS / "grafana-dashboard.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((CONFIGS / "alerts.yml").read_text(encoding="utf-8"))
RULE_TESTS = ROOT / "tests" / "serve_app" / "system" / "alerts_test.yml"

# Those of Ray Serve's own that the files use; tests/end_to_end/test_metrics.py sees them told.
SERVE_METRICS = frozenset(
    {
        "ray_serve_deployment_processing_latency_ms_bucket",
        "ray_serve_deployment_replica_healthy",
        "ray_serve_replica_processing_queries",
    }
)
# Told once it has happened.
SERVE_FAILURES = frozenset({"ray_serve_health_check_failures_total"})
OURS = {metric.name: metric for metric in METRICS}


def exported_names() -> set[str]:
    """The names of our series as Prometheus has them."""
    names = set()
    for metric in METRICS:
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {f"ray_{metric.name}{end}" for end in ends}
    return names


def expressions() -> list[str]:
    """Every expression of the alert rules and of the dashboard."""
    rules = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    panels = [
        target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())
    ]
    assert len(rules) > 10
    assert len(panels) > 20
    return [*rules, *panels]


class TestDefinitions:
    def test_names_are_ours_once_with_their_unit_and_kind(self):
        assert len(OURS) == len(METRICS)
        for metric in METRICS:
            assert re.fullmatch(r"halftime_[a-z_]+", metric.name)
            assert metric.help.endswith(".")
            assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
            if metric.kind == "histogram":
                assert metric.name.endswith("_seconds"), metric.name
                assert list(metric.buckets) == sorted(metric.buckets)

    def test_labels_are_few_and_never_a_game(self):
        assert sum(len(metric.label_values()) for metric in METRICS) < 100
        assert {name for metric in METRICS for name in metric.labels} == {
            "component",
            "forecast",
            "outcome",
            "reason",
            "result",
            "statistic",
            "status",
            "type",
        }

    def test_the_changes_are_those_of_the_live_feed(self):
        assert set(CHANGES) == set(get_args(ChangeType))

    def test_every_metric_is_documented_with_its_kind_and_labels(self):
        rows = dict(re.findall(r"^\| `(halftime_\w+)` \| ([^|]*) \|", DOCUMENT, re.MULTILINE))
        assert set(rows) == set(OURS)
        for name, kind in rows.items():
            labels = "".join(f", `{label}`" for label in OURS[name].labels)
            assert kind == f"{OURS[name].kind}{labels}", name


class TestNames:
    def test_what_the_files_ask_for_is_there(self):
        asked = {
            name for expression in expressions() for name in re.findall(r"\bray_\w+", expression)
        }
        assert asked - exported_names() == SERVE_METRICS | SERVE_FAILURES

    def test_labels_and_their_values_are_there(self):
        for expression in expressions():
            for name, selector in re.findall(
                r"ray_(halftime_\w+?)(?:_bucket)?\{(.*?)\}", expression
            ):
                for label, values in re.findall(r'(\w+)=~?"(.*?)"', selector):
                    known = OURS[name].labels[label]
                    assert set(values.split("|")) <= set(known), expression
            for labels in re.findall(r"\bby \((.*?)\)", expression):
                named = re.findall(r"ray_(halftime_\w+?)(?:_bucket)?\b(?!_)", expression)
                known_labels = {label for one in named for label in OURS[one].labels}
                ours = set(re.split(r", ?", labels)) - {"le", "deployment", "application"}
                assert ours <= known_labels, expression

    def test_all_metrics_are_looked_at_by_somebody(self):
        asked = " ".join(expressions())
        assert [name for name in OURS if f"ray_{name}" not in asked] == []


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


class TestPrometheus:
    def test_promtool_accepts_the_configuration_and_its_rules(self):
        checked = promtool("check", "config", "configs/prometheus.yml")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert (
            f"{sum(len(group['rules']) for group in ALERTS['groups'])} rules found"
            in checked.stdout
        )

    def test_the_alerts_ring_when_they_should_and_only_then(self):
        tested = promtool("test", "rules", str(RULE_TESTS.relative_to(ROOT)))
        assert tested.returncode == 0, tested.stdout + tested.stderr

    def test_every_alert_is_tested_and_says_what_is_wrong(self):
        tests = yaml.safe_load(RULE_TESTS.read_text(encoding="utf-8"))["tests"]
        rung = {
            case["alertname"]
            for test in tests
            for case in test["alert_rule_test"]
            if case.get("exp_alerts")
        }
        alerts = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
        assert set(alerts) == rung
        for alert in alerts.values():
            assert alert["annotations"]["summary"].endswith((".", "?", "reports"))
            assert alert["labels"]["severity"] in {"critical", "warning", "info"}
            assert f"`{alert['alert']}`" in DOCUMENT

    def test_it_reads_the_port_that_the_service_has_by_default(self):
        config = yaml.safe_load((CONFIGS / "prometheus.yml").read_text(encoding="utf-8"))
        (job,) = config["scrape_configs"]
        assert job["static_configs"] == [{"targets": [f"127.0.0.1:{METRICS_PORT}"]}]
        (kept, _) = job["metric_relabel_configs"]
        for name in exported_names() | SERVE_METRICS | SERVE_FAILURES:
            assert re.fullmatch(kept["regex"], name), name


class TestGrafana:
    def test_grafanas_own_models_take_all_of_it(self):
        register_default_plugins()
        taken = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
        assert list(lost(DASHBOARD, taken)) == []

    def test_panels_have_their_own_place_and_number(self):
        panels = DASHBOARD["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert at["x"] + at["w"] <= 24
            assert not cells & taken, panel["title"]
            taken |= cells

    def test_the_source_of_its_data_is_chosen_on_import(self):
        (variable,) = DASHBOARD["templating"]["list"]
        assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
        sources = {
            json.dumps(part["datasource"])
            for panel in DASHBOARD["panels"]
            for part in (panel, *panel.get("targets", ()))
            if panel["type"] != "row"
        }
        assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}


def lost(given: Any, taken: Any, at: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """What of a document did not come back; empty parts may be left out."""
    if isinstance(given, Mapping):
        for name, part in given.items():
            if isinstance(taken, Mapping) and name in taken:
                yield from lost(part, taken[name], f"{at}.{name}")
            elif part not in (None, [], {}, "", False):
                yield f"{at}.{name}"
    elif isinstance(given, Sequence) and not isinstance(given, str):
        if not isinstance(taken, Sequence) or len(given) != len(taken):
            yield at
            return
        for place, (one, other) in enumerate(zip(given, taken, strict=True)):
            yield from lost(one, other, f"{at}[{place}]")
    elif given != taken:
        yield at


def test_a_part_that_the_models_do_not_know_would_be_noticed():
    assert list(lost({"a": [{"b": 1}], "c": None}, {"a": [{}]})) == [".a[0].b"]
    assert list(lost({"a": 1, "b": [1]}, {"a": 2, "b": []})) == [".a", ".b"]


def test_the_document_names_only_what_is_there():
    for path in re.findall(r"(?:configs|scripts|tests|serve_app)/[\w/.-]*\w", DOCUMENT):
        assert (ROOT / Path(path)).exists(), path
    assert f"{METRICS_PORT}" in DOCUMENT
    assert "HALFTIME_METRICS_PORT" in DOCUMENT
