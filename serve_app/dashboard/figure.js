// Figures: what a chart shows, as plain data. `plot.js` draws them; nothing here touches the page.
//
// A figure has axes `x` and `y` as `{min, max, ticks: [[value, text]]}`, `guides` as
// `{x | y, colour, dash}`, `bands` as `{points: [[x, low, high]], colour}`, `lines` as
// `{points: [[x, y]], colour, width, dash, stepped}` and `marks` as `{shape, at: [x, y], colour}`.
// Colours are names of the style sheet.

import { END_SECONDS, HALFTIME_SECONDS, OVERTIME_SECONDS, TRIGGER_SECONDS } from "./night.js";
import { lead, shortened } from "./words.js";

const MOST_TICKS = 6;
const STEPS = [5, 10, 20, 25, 50];

/** The axis of game clock from the start to `end`, in elapsed seconds. */
export function clockAxis(end) {
  const ticks = [
    [720, "12"],
    [HALFTIME_SECONDS, "Half"],
    [2160, "36"],
    [END_SECONDS, end > END_SECONDS ? "48" : "End"],
  ];
  for (let at = END_SECONDS + OVERTIME_SECONDS; at <= end; at += OVERTIME_SECONDS) {
    ticks.push([at, at === end ? "End" : ""]);
  }
  return { min: 0, max: end, ticks };
}

/** The axis of margins that holds some values, level among them; each tick says who leads. */
export function marginAxis(game, values, least = 10) {
  const most = values.reduce((far, value) => Math.max(far, value), least);
  const low = values.reduce((far, value) => Math.min(far, value), -least);
  const step = STEPS.find((size) => (most - low) / size <= MOST_TICKS) ?? STEPS.at(-1);
  const [min, max] = [Math.floor(low / step) * step, Math.ceil(most / step) * step];
  const short = shortened(game);
  const ticks = [];
  for (let at = min; at <= max; at += step) ticks.push([at, lead(short, at, 0)]);
  return { min, max, ticks };
}

/** An axis from 0 to 1. */
export const shareAxis = (texts) => ({ min: 0, max: 1, ticks: texts });

/** An axis of points from 0 on that holds some values. */
export function pointsAxis(values) {
  const most = values.reduce((far, value) => Math.max(far, value), 1);
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => most / size <= MOST_TICKS) ?? 200;
  const max = Math.ceil(most / step) * step;
  const ticks = [];
  for (let at = 0; at <= max; at += step) ticks.push([at, String(at)]);
  return { min: 0, max, ticks };
}

/** The guides of a game: level, the moment of the frozen forecast, halftime. */
export const gameGuides = [
  { y: 0, colour: "strong-line" },
  { x: TRIGGER_SECONDS, colour: "strong-line", dash: [2, 3] },
  { x: HALFTIME_SECONDS, colour: "line" },
  { x: END_SECONDS, colour: "line" },
];

/** The points between the edges of a figure's widest band where it ends; null without a band. */
export function widthAtEnd({ bands }) {
  const widths = bands.map(({ points }) => points.at(-1)[2] - points.at(-1)[1]);
  return widths.length > 0 ? Math.max(...widths) : null;
}
