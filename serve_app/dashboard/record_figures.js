// The charts of the record, as figures.

import { pointsAxis, shareAxis } from "./figure.js";
import { percent } from "./words.js";

const STEP = 10;
const LEAST_REACH = 20;
const MOST_DAY_TICKS = 6;
const monthDay = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

/** Forecasts against outcomes, in points for home; what fell outside its interval is a ring. */
export function scatterFigure(games) {
  const points = games.map(({ prediction: { point_forecast: point, outcome } }) => ({
    at: [point, outcome.halftime_margin],
    covered: outcome.covered,
  }));
  const far = points.reduce(
    (most, { at }) => Math.max(most, Math.abs(at[0]), Math.abs(at[1])),
    LEAST_REACH,
  );
  const reach = Math.ceil(far / STEP) * STEP;
  const axis = () => ({ min: -reach, max: reach, ticks: signed(reach) });
  return {
    x: axis(),
    y: axis(),
    guides: [
      { x: 0, colour: "line" },
      { y: 0, colour: "line" },
    ],
    bands: [],
    lines: [diagonal(-reach, reach)],
    marks: points.map(({ at, covered }) => ({
      shape: covered ? "dot" : "ring",
      at,
      colour: covered ? "good" : "bad",
    })),
  };
}

const diagonal = (low, high) => ({
  points: [
    [low, low],
    [high, high],
  ],
  colour: "strong-line",
  width: 1.25,
  dash: [4, 4],
});

function signed(reach) {
  const step = reach > 30 ? 20 : STEP;
  const ticks = [];
  for (let at = -Math.floor(reach / step) * step; at <= reach; at += step) {
    ticks.push([at, at > 0 ? `+${at}` : at < 0 ? `−${-at}` : "0"]);
  }
  return ticks;
}

/** The share of outcomes below each quantile, ties by half, against its level. */
export function calibrationFigure(calibration) {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share)]);
  const known = calibration.filter(({ predictions }) => predictions > 0);
  const points = known.map(({ level, observed }) => [level, observed]);
  return {
    x: shareAxis(ticks),
    y: shareAxis(ticks),
    guides: [],
    bands: [],
    lines: [diagonal(0, 1), { points, colour: "ink", width: 1.5 }],
    marks: points.map((at) => ({ shape: "dot", at, colour: "ink" })),
  };
}

/** MAE by day, beside persistence. */
export function daysFigure(days) {
  const of = (who) => days.map((day, index) => [index, day[who].mae]);
  const [ensemble, persistence] = [of("ensemble"), of("persistence")];
  const values = [...ensemble, ...persistence].map(([, mae]) => mae);
  return {
    x: dayAxis(days),
    y: pointsAxis(values),
    guides: [],
    bands: [],
    lines: [
      { points: persistence, colour: "soft", width: 1.5, dash: [4, 4] },
      { points: ensemble, colour: "ink", width: 2 },
    ],
    marks: [
      ...persistence.map((at) => ({ shape: "ring", at, colour: "soft" })),
      ...ensemble.map((at) => ({ shape: "dot", at, colour: "ink" })),
    ],
  };
}

function dayAxis(days) {
  const every = Math.max(1, Math.ceil(days.length / MOST_DAY_TICKS));
  const ticks = days.flatMap(({ day }, index) =>
    index % every === 0 ? [[index, monthDay.format(new Date(`${day}T00:00:00Z`))]] : [],
  );
  return { min: -0.5, max: Math.max(0, days.length - 1) + 0.5, ticks };
}
