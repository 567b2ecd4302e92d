// The course of one game: its margins and its running forecasts by game clock.

import { elapsedSeconds, END_SECONDS, OVERTIME_SECONDS } from "./night.js";

// What such an update changes lies in the past: the course is fetched anew.
const REWRITING = ["superseded", "score_decreased", "clock_backwards"];

/** A course before its first answer: the game starts level. */
export function emptyCourse() {
  return { margins: [[0, 0]], forecasts: [] };
}

/** The course in an answer of `/games/{game_id}/course`. */
export function courseOf({ margins, forecasts }) {
  const course = emptyCourse();
  for (const { elapsed_seconds: at, margin } of margins) put(course.margins, [at, margin]);
  for (const made of forecasts) {
    put(course.forecasts, [made.elapsed_seconds, made.win_probability]);
  }
  return course;
}

/** Take a `score` message in; false where only the service knows what it did to the course. */
export function addScore(course, message) {
  if (message.flags?.some((flag) => REWRITING.includes(flag))) return false;
  const at = elapsedSeconds(message.quarter, message.time_remaining);
  if (at === null) return false;
  const newest = course.margins.at(-1)[0];
  put(course.margins, [at, message.margin]);
  return at >= newest;
}

/** Take a running forecast in. */
export function addForecast(course, forecast) {
  const at = elapsedSeconds(forecast.quarter, forecast.time_remaining);
  if (at !== null) put(course.forecasts, [at, forecast.final.win_probability]);
}

// Sorted by game clock; a later word on the same clock replaces the earlier one.
function put(points, point) {
  let index = points.length;
  while (index > 0 && points[index - 1][0] >= point[0]) index -= 1;
  const replaced = index < points.length && points[index][0] === point[0] ? 1 : 0;
  points.splice(index, replaced, point);
}

/** The margin that stood at a game clock, in points. */
export function marginAt(course, seconds) {
  return course.margins.findLast(([at]) => at <= seconds)?.[1] ?? 0;
}

/** Where the game ends as far as is known, in elapsed seconds: overtime adds its own. */
export function endOf(elapsed, margin) {
  if (elapsed === null || elapsed < END_SECONDS) return END_SECONDS;
  const overtimes = (elapsed - END_SECONDS) / OVERTIME_SECONDS;
  // A game that is level when a period is over goes on.
  const periods = margin === 0 ? Math.floor(overtimes) + 1 : Math.ceil(overtimes);
  return END_SECONDS + periods * OVERTIME_SECONDS;
}

/** The margins at the end of each minute played, as `[minute, margin]`. */
export function minutesOf(course) {
  const played = Math.floor(course.margins.at(-1)[0] / 60);
  return Array.from({ length: played }, (_, index) => [
    index + 1,
    marginAt(course, (index + 1) * 60),
  ]);
}
