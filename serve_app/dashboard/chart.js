// Geometry of a card's two drawings: the margin through the first half, and the interval bar.

import { HALFTIME_SECONDS, TRIGGER_SECONDS } from "./night.js";

const STEP = 5;
const LEAST_REACH = 5;
const LEAST_SPAN = 20;
const CHART = { left: 2, width: 348, top: 14, height: 90 };
const BAR = { middle: 180, reach: 166, centre: 14 };
// The pattern has one point a minute; anything wider apart was not seen.
const WIDEST_SEEN_SECONDS = 90;

const round = (value) => Math.round(value * 10) / 10;

const ceilStep = (value) => Math.ceil(value / STEP) * STEP;

/** The margins at the edges of the chart, in points: round ones that hold everything and zero. */
export function chartRange({ trail, prediction }) {
  const values = trail.map(([, margin]) => margin);
  if (prediction) values.push(prediction.interval_lower, prediction.interval_upper);
  let high = ceilStep(values.reduce((most, value) => Math.max(most, value), LEAST_REACH));
  let low = -ceilStep(values.reduce((most, value) => Math.max(most, -value), LEAST_REACH));
  while (high - low < LEAST_SPAN) {
    if (high <= -low) high += STEP;
    else low -= STEP;
  }
  return { low, high };
}

/** The margin at either end of the interval bar, in points; tied is its middle. */
export function barBound({ margin, prediction }) {
  const values = [prediction.interval_lower, prediction.interval_upper];
  if (prediction.outcome) values.push(prediction.outcome.halftime_margin);
  else if (Number.isFinite(margin)) values.push(margin);
  return ceilStep(Math.max(...values.map(Math.abs), LEAST_SPAN));
}

const chartX = (at) => round(CHART.left + (at / HALFTIME_SECONDS) * CHART.width);
const chartY = (margin, { low, high }) =>
  round(CHART.top + ((high - margin) / (high - low)) * CHART.height);
const barX = (margin, bound) => round(BAR.middle + (margin / bound) * BAR.reach);

const diamond = (x, y, size) =>
  `M${round(x)} ${round(y - size)}l${size} ${size}l${-size} ${size}l${-size} ${-size}z`;

function trailPaths(trail, place) {
  let seen = "";
  let gap = "";
  let previous = null;
  let drawing = false;
  for (const [at, margin] of trail) {
    const here = place(at, margin);
    if (previous !== null) {
      if (at - previous.at <= WIDEST_SEEN_SECONDS) {
        seen += drawing ? `L${here}` : `M${previous.here}L${here}`;
        drawing = true;
      } else {
        gap += `M${previous.here}L${here}`;
        drawing = false;
      }
    }
    previous = { at, here };
  }
  return { seen, gap };
}

// The area between the margin and zero on one side; `side` is 1 for home, -1 for away.
function areaPath(trail, side, place) {
  let path = `M${place(trail[0][0], 0)}`;
  let previous = trail[0];
  for (const point of trail) {
    const [at, margin] = point;
    if (previous[1] * margin < 0) {
      const share = previous[1] / (previous[1] - margin);
      path += `L${place(previous[0] + share * (at - previous[0]), 0)}`;
    }
    path += `L${place(at, margin * side > 0 ? margin : 0)}`;
    previous = point;
  }
  return `${path}L${place(previous[0], 0)}z`;
}

/** Path data and positions of the margin chart, in its own units. */
export function chartShapes(game, range) {
  const place = (at, margin) => `${chartX(at)} ${chartY(margin, range)}`;
  const { trail, prediction } = game;
  const shapes = {
    zero: chartY(0, range),
    ...trailPaths(trail, place),
    home: areaPath(trail, 1, place),
    away: areaPath(trail, -1, place),
    now: null,
    forecast: null,
    actual: null,
  };
  const outcome = prediction?.outcome;
  const end = trail.at(-1);
  const inFirstHalf = !outcome && game.elapsed <= HALFTIME_SECONDS;
  if (inFirstHalf && trail.length > 1) shapes.now = [chartX(end[0]), chartY(end[1], range)];
  if (prediction) {
    const x = chartX(HALFTIME_SECONDS);
    const low = chartY(prediction.interval_lower, range);
    const high = chartY(prediction.interval_upper, range);
    const from = place(TRIGGER_SECONDS, prediction.pattern.at(-1));
    shapes.forecast = {
      toward: `M${from}L${place(HALFTIME_SECONDS, prediction.point_forecast)}`,
      whisker: `M${x - 5} ${low}h10M${x} ${low}V${high}M${x - 5} ${high}h10`,
      point: [x, chartY(prediction.point_forecast, range)],
    };
  }
  if (outcome) {
    shapes.actual = diamond(chartX(HALFTIME_SECONDS), chartY(outcome.halftime_margin, range), 5.5);
  }
  return shapes;
}

/** Positions on the interval bar: away's lead to the left, home's to the right. */
export function barShapes(game, bound) {
  const { prediction } = game;
  const low = barX(prediction.interval_lower, bound);
  const { outcome } = prediction;
  return {
    low,
    width: round(barX(prediction.interval_upper, bound) - low),
    point: barX(prediction.point_forecast, bound),
    now: outcome || !Number.isFinite(game.margin) ? null : barX(game.margin, bound),
    actual: outcome ? diamond(barX(outcome.halftime_margin, bound), BAR.centre, 6) : null,
  };
}
