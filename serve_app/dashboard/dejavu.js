// Déjà vu: past games that went alike, moved so that they pass through the live game's present.

import { END_SECONDS } from "./night.js";

const MINUTE_SECONDS = 60;
// Of overtime only the final margin is known, not how it came about: it stands a little beyond the
// end, and a short line leads to it from the margin that stood there.
const OVERTIME_AT = END_SECONDS + MINUTE_SECONDS;

/**
 * The path of a past game as [elapsed seconds, margin], through `margin` at the end of `minute`.
 *
 * What it did after that minute is what it did then, in points from where the live game stands.
 */
export function shiftedPath(past, { minute, margin }) {
  const shift = margin - past.margins[minute - 1];
  return fullPath(past).map(([at, then]) => [at, then + shift]);
}

/** A past game's own margins as [elapsed seconds, margin], from its start to its final margin. */
export function fullPath({ margins, final_margin: final }) {
  const path = margins.map((margin, index) => [(index + 1) * MINUTE_SECONDS, margin]);
  const overtime = final === margins.at(-1) ? [] : [[OVERTIME_AT, final]];
  return [[0, 0], ...path, ...overtime];
}

/**
 * What the similar games did from `minute` on, in points of change: to halftime, and to the end.
 *
 * To halftime is null once it is over.
 */
export function changes({ games, minute }) {
  const change = (end) => games.map((past) => end(past) - past.margins[minute - 1]);
  return {
    halftime: minute < 24 ? change((past) => past.halftime_margin) : null,
    final: change((past) => past.final_margin),
  };
}

/** The middle of some numbers; null of none. */
export function median(numbers) {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((first, second) => first - second);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The games that an answer holds and that have a margin for each minute up to the present one. */
export function usable({ games, minute }) {
  return games.filter(({ margins }) => margins.length >= minute);
}
