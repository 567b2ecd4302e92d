// What the page says of the record: errors, coverage, calibration, the drift alarm.

import { isResolved } from "./night.js";
import { dayText, lead, percent, plain, titleOf } from "./words.js";

// Below so many outcomes a share says little: with 30, one of 95 % is known to about 8 points.
export const ENOUGH = 30;
const ALARM_STAKE = 100;
const ALARM_BETS = 2;

/** The record so far in the figures of the page; dashes before there is one. */
export function recordOf(accuracy) {
  const { resolved, coverage_target: target, ensemble, persistence } = accuracy ?? {};
  const figures = { mae: "–", persistence: "–", coverage: "–" };
  const notes = {
    "mae-note": "in points",
    "persistence-note": "if the margin stayed",
    "coverage-note": "of the intervals",
  };
  if (!ensemble || !persistence) return { ...figures, ...notes };
  const gain = (ensemble.mae - persistence.mae) / persistence.mae;
  const word = gain <= 0 ? "under" : "over";
  const compared = `${percent(Math.abs(gain), 1)} ${word} persistence`;
  return {
    mae: ensemble.mae.toFixed(2),
    persistence: persistence.mae.toFixed(2),
    coverage: percent(ensemble.coverage, 1),
    "mae-note": resolved < ENOUGH ? notes["mae-note"] : compared,
    "persistence-note": `over ${resolved} ${resolved === 1 ? "game" : "games"}`,
    "coverage-note": target ? `target ${percent(target, 1)}` : notes["coverage-note"],
  };
}

const outcomes = (count) => (count === 1 ? "1 outcome" : `${count} outcomes`);

/** The record in one sentence, with a warning where there is little to judge by. */
export function summaryOf(accuracy) {
  if (!accuracy) return "No figures yet.";
  const { resolved, predicted, coverage_target: target, ensemble, persistence } = accuracy;
  const open = predicted - resolved;
  if (!ensemble || !persistence) {
    return open > 0 ? `No outcome yet; ${open} predicted.` : "Nothing has been predicted yet.";
  }
  const base =
    `${outcomes(resolved)}: off by ${ensemble.mae.toFixed(2)} points on average, ` +
    `persistence by ${persistence.mae.toFixed(2)}; ` +
    `${percent(ensemble.coverage, 1)} inside their interval` +
    `${target ? `, promised ${percent(target, 1)}` : ""}.`;
  return resolved < ENOUGH ? `${base} ${tooFew(resolved)}` : base;
}

/** Why so few outcomes prove nothing. */
export const tooFew = (count) =>
  `${count === 1 ? "One outcome is" : `${count} outcomes are`} too few to judge by.`;

/** The drift alarm in plain words. */
export function alarmText(alarm) {
  if (!alarm) return "";
  const { games, location, spread, highest, raised } = alarm;
  if (games === 0) return "Drift: no finished game has been learned from yet.";
  const after = `after ${games} ${games === 1 ? "game" : "games"}`;
  if (!raised) {
    return (
      `No drift seen ${after}: the outcomes fall where the forecasts say. A bet against them ` +
      `stands at ${stake(Math.max(location, spread))} for 1, at most it stood at ${stake(highest)}; ` +
      `the alarm is raised at ${ALARM_STAKE}.`
    );
  }
  return (
    `Drift alarm ${after}${causeOf(alarm)}. One of two bets against the forecasts stood at ` +
    `${stake(highest)} for 1; that happens to a true forecaster once in ${ALARM_STAKE / ALARM_BETS} ` +
    `at most. Look at the model.`
  );
}

// An alarm stays raised: what raised it is known only while its bet still stands so high.
function causeOf({ location, spread }) {
  const causes = [];
  if (location >= ALARM_STAKE) causes.push("outcomes lie too high or too low");
  if (spread >= ALARM_STAKE) causes.push("intervals are too narrow or too wide");
  return causes.length > 0 ? `: ${causes.join("; ")}` : "";
}

const stake = (value) => (value < 10 ? value.toFixed(2) : String(Math.round(value)));

/** The measures beside persistence as rows of [name, forecast, persistence]. */
export function skillRows({ ensemble, persistence, coverage_target: target }) {
  if (!ensemble || !persistence) return [];
  const points = (name, key) => [name, ensemble[key].toFixed(2), persistence[key].toFixed(2)];
  return [
    points("Mean error, points", "mae"),
    points("Root mean square error", "rmse"),
    points("CRPS", "crps"),
    points("Interval score", "interval_score"),
    points("Width of the interval", "width"),
    [
      target ? `Coverage, promised ${percent(target, 1)}` : "Coverage",
      percent(ensemble.coverage, 1),
      percent(persistence.coverage, 1),
    ],
  ];
}

/** The days as table rows, newest first. */
export function dayRows(days) {
  return days
    .map(({ day, resolved, ensemble, persistence }) => [
      dayText(day),
      String(resolved),
      ensemble.mae.toFixed(2),
      persistence.mae.toFixed(2),
      percent(ensemble.coverage, 0),
      ensemble.interval_score.toFixed(1),
      persistence.interval_score.toFixed(1),
    ])
    .reverse();
}

/** The newest outcomes among some games as table rows, newest first. */
export function outcomeRows(games, most) {
  return resolvedOf(games)
    .slice(0, most)
    .map((game) => {
      const { prediction } = game;
      const { outcome } = prediction;
      return [
        titleOf(game),
        lead(game, prediction.point_forecast),
        lead(game, outcome.halftime_margin, 0),
        plain(outcome.error),
        plain(outcome.persistence_error),
        outcome.covered ? "inside" : "outside",
      ];
    });
}

/** The games with an outcome that counts, newest first. */
export function resolvedOf(games) {
  return games
    .filter(isResolved)
    .sort((first, second) =>
      second.prediction.outcome.resolved_at.localeCompare(first.prediction.outcome.resolved_at),
    );
}

/** What the scatter plot shows, and of how many. */
export function scatterNote(shown, resolved) {
  if (shown === 0) return "No outcome of the games on this page yet.";
  const all = resolved > shown ? `, the newest of ${resolved}` : "";
  return `${outcomes(shown)}${all}. On the line the forecast was right; rings fell outside their interval.`;
}

/** The scatter plot for those who do not see it. */
export function scatterLabel(games) {
  if (games.length === 0) return "No outcomes yet.";
  const inside = games.filter(({ prediction }) => prediction.outcome.covered).length;
  return `${outcomes(games.length)} against their forecasts; ${inside} inside their interval.`;
}

/** What the calibration plot says, honestly for few. */
export function calibrationNote(calibration) {
  const count = mostPredictions(calibration);
  if (count === 0) return "No outcomes to compare with yet.";
  const base = "At each level: the share of outcomes below that quantile, one equal to it counting half. On the line it is as promised.";
  return count < ENOUGH ? `${base} ${tooFew(count)}` : `${base} ${outcomes(count)}.`;
}

/** The calibration plot for those who do not see it. */
export function calibrationLabel(calibration) {
  if (mostPredictions(calibration) === 0) return "No calibration yet.";
  const pairs = calibration.map(
    ({ level, observed }) => `${percent(level)}: ${percent(observed)}`,
  );
  return `Share of outcomes below each quantile, one equal to it counting half: ${pairs.join(", ")}.`;
}

export const mostPredictions = (calibration) =>
  calibration.reduce((most, { predictions }) => Math.max(most, predictions), 0);

/** The errors by day for those who do not see the chart. */
export function daysLabel(days) {
  const better = days.filter(({ ensemble, persistence }) => ensemble.mae < persistence.mae).length;
  const newest = days.at(-1);
  return (
    `Mean error by day over ${days.length} days, below persistence on ${better}; on the newest ` +
    `${newest.ensemble.mae.toFixed(2)} against ${newest.persistence.mae.toFixed(2)}.`
  );
}
