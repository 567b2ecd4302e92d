// Déjà vu: past games that went alike, moved so that they pass through the live game's present.

const MINUTE_SECONDS = 60;

/**
 * The path of a past game as [elapsed seconds, margin], through `margin` at the end of `minute`.
 *
 * What it did after that minute is what it did then, in points from where the live game stands.
 */
export function shiftedPath({ margins }, { minute, margin }) {
  const shift = margin - margins[minute - 1];
  return fullPath({ margins }).map(([at, past]) => [at, past + shift]);
}

/** A past game's own margins as [elapsed seconds, margin], from its start. */
export function fullPath({ margins }) {
  return [[0, 0], ...margins.map((margin, index) => [(index + 1) * MINUTE_SECONDS, margin])];
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
