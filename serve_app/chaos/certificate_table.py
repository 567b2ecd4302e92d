"""The certificate for people, as rich tables."""

from rich.console import Console
from rich.table import Table

from serve_app.chaos.certificate import Certificate


def print_certificate(console: Console, certificate: Certificate) -> None:
    """Print the certificate; readable also where the output is no terminal."""
    console.print(_findings(certificate))
    console.print(_outages(certificate))
    for failure in certificate.failures():
        console.print(f"FAILED: {failure}", style="bold red", markup=False)


def _findings(certificate: Certificate) -> Table:
    audit, replay, under = certificate.audit, certificate.replay, certificate.conditions
    offline = replay.offline
    table = Table("what", "found", title="Chaos certificate", title_justify="left")
    for row in (
        ("kills, games, seed", f"{under.kills}, {under.games}, {under.seed}"),
        (
            "service",
            f"{under.service_version}, model {under.model_version}, {under.placement}, "
            f"{under.ingress_replicas} ingress replicas, {under.shards} shards",
        ),
        ("machine, time", f"{under.cores} cores, {under.seconds:.0f} s"),
        ("updates acknowledged", f"{audit.acknowledged:,}"),
        ("  of them repeats", f"{audit.duplicates:,}"),
        ("  found in the store", f"{audit.found:,}"),
        ("  lost", f"{len(audit.lost)}"),
        ("  doubled", f"{len(audit.doubled)}"),
        ("  saying something else", f"{len(audit.differing)}"),
        (
            "sent again, answered otherwise",
            f"{certificate.asked_again:,}, {len(certificate.answered_otherwise)}",
        ),
        ("predictions expected", f"{audit.predictions_expected}"),
        ("  made", f"{audit.predictions_made}"),
        ("  missing", f"{len(audit.predictions_missing)}"),
        ("  doubled", f"{len(audit.predictions_doubled)}"),
        ("  changed", f"{len(audit.predictions_changed)}"),
        (
            "  equal to offline, to the last digit",
            "not compared" if offline is None else f"{offline.equal} of {offline.games}",
        ),
        (
            "outcomes, right ones",
            f"{replay.quality.resolved}, {replay.quality.outcomes_equal}",
        ),
        (
            "requests repeated by the client",
            ", ".join(f"{n} {why}" for why, n in replay.traffic.repeats.items()) or "none",
        ),
    ):
        table.add_row(*row)
    return table


def _outages(certificate: Certificate) -> Table:
    table = Table(
        "killed",
        "kills",
        "median",
        "longest",
        "goal",
        "whole again",
        "live feed",
        title="Outages seen by a scraper, in seconds",
        title_justify="left",
        caption="longest wait for an acknowledgement; whole again: median until every process is "
        "back; live feed: longest break of a watcher",
        caption_justify="left",
    )
    for one in certificate.outages:
        goal = "–" if one.goal is None else f"≤ {one.goal:g}{'' if one.within_goal else ' missed'}"
        table.add_row(
            one.kind,
            str(one.kills),
            f"{one.median:.2f}",
            f"{one.longest:.2f}",
            goal,
            f"{one.recovery_median:.1f}",
            f"{one.feed_longest:.1f}",
        )
    return table
