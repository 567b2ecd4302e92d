// What the page says of a game, in words. Nothing here touches the page.

import { HALFTIME_SECONDS, TRIGGER_SECONDS, secondsRemaining, unseenMinutes } from "./night.js";

export const CHIPS = {
  registered: "Registered",
  live: "Live",
  predicted: "Predicted",
  resolved: "Resolved",
  missed: "Missed",
  ended: "Ended",
};
const STRENGTHS = {
  caller: "given by the caller",
  ratings: "from team ratings",
  unknown_team: "a team without a rating",
  unknown_season: "a season without ratings",
  home_advantage: "home advantage alone",
};
const REASONS = { late_update: "a late update", score_correction: "a score correction" };
const LONGEST_CODE = 5;

const NARROW = "\u202f";
const hourMinute = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const dayTime = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  hour: "numeric",
  minute: "2-digit",
});
// A game's date has no time zone: it is read and written as UTC so that it never shifts a day.
const calendarDay = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});

/** A lead in words, such as `DEN +7.4`; `Tied` where it rounds to nothing. */
export function lead(game, margin, digits = 1) {
  const size = Math.abs(margin).toFixed(digits);
  if (Number(size) === 0) return "Tied";
  return `${margin > 0 ? game.home_team : game.away_team} +${size}`;
}

/** An interval in words, such as `DAL +4.6 to DEN +19.4` or `DEN +1.2 to +25.1`. */
export function span(game, { interval_lower: low, interval_upper: high }) {
  if (low < 0 !== high < 0) return `${lead(game, low)} to ${lead(game, high)}`;
  const [near, far] = low < 0 ? [high, low] : [low, high];
  return `${lead(game, near)} to +${Math.abs(far).toFixed(1)}`;
}

/** A share such as `95 %`, with one decimal where it needs one. */
export function percent(share, digits = 0) {
  const text = (share * 100).toFixed(digits);
  const short = digits ? text.replace(/\.0+$/, "") : text;
  return `${short}${NARROW}%`;
}

/** An error in points, without its sign. */
export const plain = (margin) => Math.abs(margin).toFixed(1);
/** A game's name. */
export const titleOf = (game) => `${game.away_team} at ${game.home_team}`;
/** Who leads, as `home`, `away` or `none`. */
export const leaderOf = ({ margin }) => (margin > 0 ? "home" : margin < 0 ? "away" : "none");
/** Where an outcome fell against its interval: `inside`, `outside`, or `open` before there is one. */
export const sideOf = (outcome) => (outcome ? (outcome.covered ? "inside" : "outside") : "open");
/** A game's state, or that its feed fell silent. */
export const chipOf = (game) => (game.stale ? "Stale feed" : (CHIPS[game.state] ?? game.state));
/** The name of an interval, such as `95 % interval`. */
export const intervalName = ({ coverage_probability: coverage }) =>
  `${percent(coverage, 1)} interval`;

/** A forecast lead for a table's row; the known margin, where there is none any more. */
export function rowLead(game, distribution, known) {
  if (distribution) return lead(game, distribution.point_forecast);
  return Number.isFinite(known) ? lead(game, known, 0) : "–";
}

/** A calendar date such as `2024-02-14`, as the reader's language writes it. */
export const dayText = (date) => calendarDay.format(new Date(`${date}T00:00:00Z`));

/** A moment in milliseconds as hours and minutes. */
export const timeText = (at) => hourMinute.format(at);

/** A team's name where there is room for a tricode only. */
export function shortCode(team) {
  return team.length > LONGEST_CODE ? `${team.slice(0, LONGEST_CODE - 1)}…` : team;
}

/** The clock as a scoreboard reads: `Q2 6:00`, `Half`, `End Q1`, `OT 2:10`, `Final`. */
export function clockText(game) {
  if (game.state === "ended") return game.quarter > 4 ? "Final/OT" : "Final";
  if (!game.quarter) return startText(game);
  const left = secondsRemaining(game.time_remaining);
  const period = game.quarter > 4 ? overtimeName(game.quarter - 4) : `Q${game.quarter}`;
  if (left === null) return period;
  if (left === 0) return game.quarter === 2 ? "Half" : `End ${period}`;
  const minutes = Math.floor(left / 60);
  const seconds = Math.floor(left % 60);
  return `${period} ${minutes}:${String(seconds).padStart(2, "0")}`;
}

const overtimeName = (number) => (number === 1 ? "OT" : `${number}OT`);

function startText(game) {
  const start = new Date(game.start_time ?? NaN);
  if (Number.isNaN(start.getTime())) return "Not started";
  const today = start.toDateString() === new Date().toDateString();
  return (today ? hourMinute : dayTime).format(start);
}

function ranges(minutes) {
  const runs = [];
  for (const minute of minutes) {
    if (runs.length > 0 && runs.at(-1)[1] === minute - 1) runs.at(-1)[1] = minute;
    else runs.push([minute, minute]);
  }
  return runs.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(", ");
}

/** What a card says in place of a forecast; empty where there is one. */
export function remarkOf(game) {
  if (game.prediction) return "";
  if (game.state === "ended") return "Ended without a forecast.";
  if (game.elapsed === null) return "Waiting for the first score.";
  const unseen = ranges(unseenMinutes(game));
  if (game.state === "missed") {
    const cause = unseen ? `, without an update in minutes ${unseen}` : "";
    return `No forecast: halftime came first${cause}.`;
  }
  const left = Math.ceil(TRIGGER_SECONDS - game.elapsed);
  if (left > 0) {
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    return `Forecast in ${clock} of game clock.`;
  }
  if (unseen) return `No forecast yet: no update came for minutes ${unseen}.`;
  return "At 6:00; the forecast is being made.";
}

/** Who is likelier to win and how likely that is, such as `DEN 63 %`; never quite certain. */
export function winText(game, probability) {
  const [team, chance] =
    probability < 0.5 ? [game.away_team, 1 - probability] : [game.home_team, probability];
  return chance < 1 && chance > 0.994 ? `${team} >99${NARROW}%` : `${team} ${percent(chance)}`;
}

/** The same of a running forecast, where there is one. */
export const chanceText = (game, forecast) =>
  forecast ? winText(game, forecast.final.win_probability) : "";

/** Who won, such as `DEN won`; empty where the last update is not of the end. */
export function wonText(names, { quarter, time_remaining: clock, margin }) {
  const sawTheEnd = quarter >= 4 && secondsRemaining(clock) === 0;
  if (!sawTheEnd || !margin) return "";
  return `${margin > 0 ? names.home_team : names.away_team} won`;
}

/** At which clock the running forecast was made; it may be missing. */
export function runningText(forecast) {
  if (!forecast) return "No running forecast";
  const { quarter, time_remaining: clock } = forecast;
  const period = quarter > 4 ? overtimeName(quarter - 4) : `Q${quarter}`;
  return `Running forecast at ${period} ${clock}`;
}

/** When the forecast was frozen, whether it counts, and what it had to carry forward. */
export function frozenText(prediction) {
  const { quarter, time_remaining: clock, minutes_carried_forward: carried } = prediction;
  const late = prediction.made_after_halftime ? " (made after halftime, does not count)" : "";
  const minutes = carried === 1 ? "1 minute" : `${carried} minutes`;
  const note = carried ? `, ${minutes} carried forward` : "";
  const later = prediction.revisions?.length ? "; revised beside it" : "";
  return `Frozen at Q${quarter} ${clock}${late}${note}${later}`;
}

/** What a later forecast of the same game says, and that it changes nothing. */
export function revisionText(game, { reason, forecast }) {
  const cause = REASONS[reason] ?? reason;
  const now = `${lead(game, forecast.point_forecast)}, ${span(game, forecast)}`;
  return `Revised after ${cause}: ${now}. The frozen forecast stands.`;
}

/** A game with its teams' names as there is room for in a narrow column. */
export const shortened = (game) => ({
  home_team: shortCode(game.home_team),
  away_team: shortCode(game.away_team),
});

/** A new forecast as it is spoken. */
export function announcement(game) {
  const { prediction } = game;
  const forecast = `${lead(game, prediction.point_forecast)} forecast at halftime`;
  return `${titleOf(game)}: ${forecast}, ${span(game, prediction)}.`;
}

/** How the ensemble came to its forecast. */
export function makeupOf(game) {
  const { prediction } = game;
  const { explanation } = prediction;
  const strength = STRENGTHS[prediction.strength] ?? prediction.strength;
  const part = (name, margin, weight) => `${name} ${lead(game, margin)} × ${weight.toFixed(2)}`;
  return [
    part("Dejavu", explanation.dejavu_prediction, explanation.dejavu_weight),
    part("LSTM", explanation.lstm_prediction, explanation.lstm_weight),
    `expected before the game ${lead(game, prediction.expected_margin)}, ${strength}`,
    `model ${prediction.model_version}`,
  ].join(" · ");
}

/** How a game stands: who leads, and at which clock. */
export function standingText(game) {
  if (game.elapsed === null || !Number.isFinite(game.margin)) return clockText(game);
  return `${clockText(game)} · ${lead(game, game.margin, 0)}`;
}

/** What halftime brought, and on which side of the interval. */
export const outcomeText = (game, outcome) =>
  `${lead(game, outcome.halftime_margin, 0)}, ${sideOf(outcome)}`;

/** The error of the frozen forecast beside that of persistence, in points. */
export const errorText = ({ error, persistence_error: other }) =>
  `${plain(error)}, persistence ${plain(other)}`;

/** The margin chart for those who do not see it. */
export function chartLabel(game) {
  if (game.trail.length < 2) return "No score yet.";
  const [at, margin] = game.trail.at(-1);
  const moment = at === HALFTIME_SECONDS ? "at halftime" : "at the last update";
  const seen = `Margin through the first half: ${lead(game, margin, 0)} ${moment}`;
  const { prediction } = game;
  if (!prediction) return `${seen}.`;
  return `${seen}; forecast for halftime ${lead(game, prediction.point_forecast)}.`;
}

/** The interval bar for those who do not see it. */
export function barLabel(game) {
  const { prediction } = game;
  const { outcome } = prediction;
  const base = `Interval ${span(game, prediction)} around ${lead(game, prediction.point_forecast)}`;
  if (outcome) {
    const side = outcome.covered ? "inside" : "outside";
    return `${base}; at halftime ${lead(game, outcome.halftime_margin, 0)}, ${side} it.`;
  }
  return Number.isFinite(game.margin) ? `${base}; now ${lead(game, game.margin, 0)}.` : `${base}.`;
}

/** Commands that register a first game with the service at an address, and score it. */
export function exampleOf(here, withKey) {
  const key = withKey ? `  -H "authorization: Bearer $HALFTIME_API_KEY" \\\n` : "";
  const json = `${key}  -H 'content-type: application/json' \\`;
  return [
    `curl ${here}games \\`,
    json,
    `  -d '{"game_id": "my-first-game", "home_team": "DEN", "away_team": "DAL"}'`,
    "",
    `curl ${here}games/my-first-game/scores \\`,
    json,
    `  -d '{"quarter": 1, "time_remaining": "11:38", "score_home": 2, "score_away": 0}'`,
  ].join("\n");
}
