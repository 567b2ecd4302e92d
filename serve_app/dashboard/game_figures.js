// The charts of one game, as figures.

import { endOf } from "./course.js";
import { fullPath, shiftedPath, usable } from "./dejavu.js";
import { clockAxis, gameGuides, marginAxis, shareAxis } from "./figure.js";
import { END_SECONDS, HALFTIME_SECONDS } from "./night.js";
import { shortCode } from "./words.js";

const liveLine = (course) => ({
  points: course.margins,
  colour: "ink",
  width: 2,
  stepped: true,
});

function presentMark(game, course) {
  if (game.elapsed === null) return [];
  return [{ shape: game.state === "ended" ? "dot" : "ring", at: course.margins.at(-1), colour: "ink" }];
}

// The frozen forecast stands at halftime with its interval; its outcome is a diamond.
function frozenMarks({ prediction }) {
  if (!prediction) return [];
  const { interval_lower: low, interval_upper: high, point_forecast: point, outcome } = prediction;
  const marks = [
    { shape: "whisker", at: [HALFTIME_SECONDS, point], low, high, colour: "home" },
    { shape: "dot", at: [HALFTIME_SECONDS, point], colour: "home" },
  ];
  if (outcome) {
    const colour = outcome.covered ? "good" : "bad";
    marks.push({ shape: "diamond", at: [HALFTIME_SECONDS, outcome.halftime_margin], colour });
  }
  return marks;
}

/** The margin so far with the fan ahead of it. */
export function fanFigure(game, course, fan) {
  const { prediction } = game;
  const values = course.margins.map(([, margin]) => margin);
  for (const { points } of fan?.bands ?? []) values.push(...points.at(-1).slice(1));
  if (prediction) values.push(prediction.interval_lower, prediction.interval_upper);
  const last = fan?.middle.at(-1)[0] ?? 0;
  const end = Math.max(last, courseEnd(game, course));
  return {
    x: clockAxis(end),
    y: marginAxis(game, values),
    guides: gameGuides,
    bands: (fan?.bands ?? []).map(({ share, points }) => ({
      points,
      colour: `fan-${Math.round(share * 100)}`,
    })),
    lines: [
      { points: fan?.middle ?? [], colour: "soft", width: 1.25, dash: [4, 4] },
      liveLine(course),
    ],
    marks: [...frozenMarks(game), ...presentMark(game, course)],
  };
}

// The last period that was begun, so that overtime is all on the chart.
function courseEnd(game, course) {
  const [at, margin] = course.margins.at(-1);
  return endOf(at, game.state === "ended" ? 1 : margin);
}

// What past games did in overtime stands a little beyond the end.
const reaching = (axis, points) => ({
  ...axis,
  max: points.reduce((most, [at]) => Math.max(most, at), axis.max),
});

/** The similar games drawn on from the present, behind the live line; `picked` is one's id. */
export function dejavuFigure(game, course, similar, picked) {
  const games = similar ? usable(similar) : [];
  const paths = games.map((past) => ({ id: past.game_id, points: shiftedPath(past, similar) }));
  // The picked one is drawn last, above the others.
  paths.sort((first, second) => (first.id === picked) - (second.id === picked));
  const quiet = paths.some(({ id }) => id === picked) ? "past-dim" : "past";
  const shown = [course.margins, ...paths.map(({ points }) => points)].flat();
  return {
    x: reaching(clockAxis(Math.max(END_SECONDS, courseEnd(game, course))), shown),
    y: marginAxis(game, shown.map(([, margin]) => margin)),
    guides: gameGuides,
    bands: [],
    lines: [
      ...paths.map(({ id, points }) =>
        id === picked
          ? { points, colour: "home", width: 2.25 }
          : { points, colour: quiet, width: 1.25 },
      ),
      liveLine(course),
    ],
    marks: [
      ...paths.map(({ id, points }) => ({
        shape: "dot",
        at: points.at(-1),
        colour: id === picked ? "home" : quiet,
      })),
      ...presentMark(game, course),
    ],
  };
}

/** One past game by itself, with its own margins. */
export function pastFigure(past) {
  const points = fullPath(past);
  return {
    x: reaching(clockAxis(END_SECONDS), points),
    y: marginAxis(past, points.map(([, margin]) => margin)),
    guides: gameGuides,
    bands: [],
    lines: [{ points, colour: "home", width: 2 }],
    marks: [
      { shape: "ring", at: [HALFTIME_SECONDS, past.halftime_margin], colour: "home" },
      { shape: "dot", at: points.at(-1), colour: "home" },
    ],
  };
}

/** Home's chance to win over the game. */
export function winFigure(game, course) {
  const { forecasts } = course;
  return {
    x: clockAxis(Math.max(END_SECONDS, courseEnd(game, course))),
    y: shareAxis([
      [0, shortCode(game.away_team)],
      [0.5, "50\u202f%"],
      [1, shortCode(game.home_team)],
    ]),
    guides: [{ y: 0.5, colour: "strong-line" }, ...gameGuides.slice(1)],
    bands: [],
    lines: [{ points: forecasts, colour: "ink", width: 2 }],
    marks: forecasts.length > 0 ? [{ shape: "dot", at: forecasts.at(-1), colour: "ink" }] : [],
  };
}
