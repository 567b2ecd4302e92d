// What the page says of the service itself.

import { percent, timeText } from "./words.js";

const NONE = "–";

const whole = (value) => (Number.isFinite(value) ? value.toLocaleString() : NONE);

/** A rate: with one decimal while it is small. */
export const rateText = (value) =>
  Number.isFinite(value) ? (value < 10 ? value.toFixed(1) : whole(Math.round(value))) : NONE;

/** A time in milliseconds; from a second on in seconds. */
export function millisecondsText(value) {
  if (!Number.isFinite(value)) return NONE;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** A time in seconds; from two minutes on in minutes, from two hours on in hours. */
export function secondsText(value) {
  if (!Number.isFinite(value)) return NONE;
  if (value >= 7200) return `${Math.round(value / 3600)} h`;
  if (value >= 120) return `${Math.round(value / 60)} min`;
  return value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

/** Each figure of a report by the name of its place in the view. */
export function figuresOf(system) {
  const { feed_lag_seconds: lag, response_ms: answers } = system;
  return {
    updates: rateText(system.updates_per_second),
    "games-monitored": whole(system.games_monitored),
    "games-live": whole(system.games_live),
    "lag-median": secondsText(lag?.median),
    "lag-longest": secondsText(lag?.longest),
    p50: millisecondsText(answers?.p50),
    p95: millisecondsText(answers?.p95),
    p99: millisecondsText(answers?.p99),
    requests: whole(answers?.requests),
    shards: system.shards_expected ? `${system.shards} of ${system.shards_expected}` : NONE,
    "ingress-replicas": whole(system.ingress_replicas),
    "feed-replicas": whole(system.feed_replicas),
    webhooks: whole(system.webhooks_pending),
    watchers: whole(system.watchers),
    dropped: whole(system.dropped_watchers),
    "model-version": system.model_version ?? NONE,
    "calibration-version": system.calibration_version ?? NONE,
  };
}

/**
 * What is wrong, as sentences; empty where nothing is.
 *
 * `silentSince` is when the report came, where others should have come since: it no longer tells
 * how the service is, only that it was.
 */
export function troubles(system, silentSince = null) {
  if (silentSince !== null) return [`No report since ${timeText(silentSince)}.`];
  const found = [];
  const missing = system.shards_expected - system.shards;
  if (missing > 0) {
    found.push(`${missing} of ${system.shards_expected} shards ${missing === 1 ? "does" : "do"} not answer.`);
  }
  if (system.ingress_replicas === 0) found.push("No ingress replica answers.");
  if (system.feed_replicas === 0) found.push("No feed replica answers.");
  return found;
}

/** The report in a sentence or two. */
export function summaryOf(system, silentSince = null) {
  if (!system) return "Waiting for the first report.";
  const found = troubles(system, silentSince);
  if (found.length > 0) return found.join(" ");
  const games = system.games_live === 1 ? "1 game" : `${whole(system.games_live)} games`;
  return `Everything answers. ${games} under way.`;
}

/** What the line of updates shows; `seconds` is how far back it reaches. */
export function sparkNote(values, seconds) {
  if (values.length < 2) return "The line begins as reports come in.";
  const span = secondsText(seconds);
  return `The last ${span}; at most ${rateText(Math.max(...values))} a second.`;
}

/** The line of updates for those who do not see it. */
export function sparkLabel(values) {
  if (values.length === 0) return "No updates a second known yet.";
  const [newest, most] = [values.at(-1), Math.max(...values)];
  const share = most > 0 ? `, ${percent(newest / most)} of the most` : "";
  return `Updates a second: now ${rateText(newest)}${share} in the time shown.`;
}
