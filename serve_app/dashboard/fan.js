// The fan: how the margin may go on, from the quantiles of the newest running forecast.
//
// The service forecasts two moments, halftime and the end. Between them a margin spreads as a random
// walk does, with the square root of the time: that is how the fan is drawn from one to the next.

import { endOf } from "./course.js";
import { elapsedSeconds, HALFTIME_SECONDS } from "./night.js";

/** The bands from the widest to the narrowest: the share of outcomes inside, and its quantiles. */
export const BANDS = [
  { share: 0.9, low: 0.05, high: 0.95 },
  { share: 0.8, low: 0.1, high: 0.9 },
  { share: 0.5, low: 0.25, high: 0.75 },
];
const STEPS = 24;

/** A quantile of a distribution, in points; null where it was not told. */
export function quantile({ quantiles = {} }, level) {
  const name = Object.keys(quantiles).find((key) => Number(key) === level);
  return name === undefined ? null : quantiles[name];
}

/** A band of a distribution as [low, high], in points; null where it was not told. */
export function bandOf(distribution, { low, high }) {
  const edges = [quantile(distribution, low), quantile(distribution, high)];
  return edges.includes(null) ? null : edges;
}

/**
 * The fan of a running forecast, or null where there is nothing ahead to be drawn.
 *
 * `middle` is the median as [elapsed seconds, margin]; each of `bands` has its `share` and `points`
 * as [elapsed seconds, low, high].
 */
export function fanOf(forecast) {
  if (!forecast) return null;
  const from = elapsedSeconds(forecast.quarter, forecast.time_remaining);
  const end = from === null ? null : endOf(from, forecast.margin);
  if (end === null || end <= from) return null;
  const ahead = [{ at: end, distribution: forecast.final }];
  if (forecast.halftime && from < HALFTIME_SECONDS) {
    ahead.unshift({ at: HALFTIME_SECONDS, distribution: forecast.halftime });
  }
  const middle = [
    [from, forecast.margin],
    ...ahead.map(({ at, distribution }) => [at, medianOf(distribution)]),
  ];
  const bands = BANDS.map((band) => bandPath(band, middle, ahead)).filter(Boolean);
  return { middle, bands };
}

const medianOf = (distribution) => quantile(distribution, 0.5) ?? distribution.point_forecast;

function bandPath(band, middle, ahead) {
  const edges = ahead.map(({ distribution }) => bandOf(distribution, band));
  if (edges.includes(null)) return null;
  const points = [[...middle[0], middle[0][1]]];
  edges.forEach(([low, high], index) => {
    const [from, to] = [middle[index], middle[index + 1]];
    const before = index === 0 ? [0, 0] : spread(edges[index - 1], from[1]);
    const after = spread([low, high], to[1]);
    for (let step = 1; step <= STEPS; step += 1) {
      // Denser near the present, where a square root is steepest.
      const share = (step / STEPS) ** 2;
      const margin = from[1] + (to[1] - from[1]) * share;
      points.push([
        from[0] + (to[0] - from[0]) * share,
        margin - walk(before[0], after[0], share),
        margin + walk(before[1], after[1], share),
      ]);
    }
  });
  return { share: band.share, points };
}

const spread = ([low, high], middle) => [middle - low, high - middle];

const walk = (before, after, share) => Math.sqrt(before ** 2 + (after ** 2 - before ** 2) * share);
