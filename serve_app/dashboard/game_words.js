// What the view of one game says, in words and in rows. Nothing here touches the page.

import { marginAt, minutesOf } from "./course.js";
import { changes, median, usable } from "./dejavu.js";
import { BANDS, bandOf } from "./fan.js";
import { END_SECONDS, HALFTIME_SECONDS, OVERTIME_SECONDS } from "./night.js";
import { clockText, dayText, lead, percent, span, titleOf, winText } from "./words.js";

const QUARTER_SECONDS = 720;

/** A moment of the game as a scoreboard shows it, from the seconds elapsed. */
export function clockAt(elapsed) {
  const extra = Math.max(0, elapsed - END_SECONDS);
  const overtimes = Math.ceil(extra / OVERTIME_SECONDS);
  const quarter =
    overtimes > 0 ? 4 + overtimes : Math.min(4, Math.floor(elapsed / QUARTER_SECONDS) + 1);
  const left =
    overtimes > 0 ? overtimes * OVERTIME_SECONDS - extra : quarter * QUARTER_SECONDS - elapsed;
  const whole = Math.round(left);
  const clock = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return clockText({ quarter, time_remaining: clock, state: "live" });
}

const between = (game, [low, high]) => span(game, { interval_lower: low, interval_upper: high });

/** What the running forecast says of the winner; of a game that is over, how it ended. */
export function winnerOf(game) {
  const chance = game.forecast?.final.win_probability;
  if (Number.isFinite(chance)) return { text: winText(game, chance), label: "to win" };
  if (game.state !== "ended" || !Number.isFinite(game.margin)) return { text: "–", label: "to win" };
  return { text: lead(game, game.margin, 0), label: "at the end" };
}

/** The running forecast as rows of [name, halftime, final]; what is over is told as it was. */
export function quantileRows(game, forecast, halftime) {
  const half = forecast?.halftime ?? null;
  const final = forecast?.final ?? null;
  const middle = [
    "Middle",
    half ? lead(game, half.point_forecast) : wasText(game, halftime),
    final ? lead(game, final.point_forecast) : wasText(game, finalOf(game)),
  ];
  const bands = [...BANDS].reverse().map((band) => {
    const told = (distribution) => {
      const edges = distribution && bandOf(distribution, band);
      return edges ? between(game, edges) : "–";
    };
    return [percent(band.share), told(half), told(final)];
  });
  return [middle, ...bands];
}

const wasText = (game, known) => (known === null ? "–" : `was ${lead(game, known, 0)}`);

const finalOf = ({ state, margin }) =>
  state === "ended" && Number.isFinite(margin) ? margin : null;

/** The margin at halftime as the course knows it; null before then. */
export function halftimeOf(game, course) {
  const known = game.prediction?.outcome?.halftime_margin;
  if (Number.isFinite(known)) return known;
  return (game.elapsed ?? 0) > HALFTIME_SECONDS ? marginAt(course, HALFTIME_SECONDS) : null;
}

/** The fan for those who do not see it. */
export function fanLabel(game, forecast) {
  const now =
    game.elapsed === null ? "Not begun." : `${lead(game, game.margin ?? 0, 0)} ${whenText(game)}.`;
  if (!forecast) return now;
  const told = [
    ["At halftime", forecast.halftime],
    ["At the end", forecast.final],
  ].flatMap(([name, distribution]) => {
    const edges = distribution && bandOf(distribution, BANDS[0]);
    if (!edges) return [];
    const middle = lead(game, distribution.point_forecast);
    return [`${name} ${middle}, with ${percent(BANDS[0].share)} ${between(game, edges)}.`];
  });
  return [now, ...told].join(" ");
}

const whenText = (game) => (game.state === "ended" ? "at the end" : `at ${clockText(game)}`);

/** What the fan shows at a clock: the margin until now, the bands after it. */
export function fanReadout(game, course, fan, elapsed) {
  const when = clockAt(elapsed);
  if (elapsed <= (game.elapsed ?? 0)) {
    return `${when} · ${lead(game, marginAt(course, elapsed), 0)}`;
  }
  if (!fan) return when;
  const parts = [...fan.bands].reverse().map(({ share, points }) => {
    const [, low, high] = nearest(points, elapsed);
    return `${percent(share)}: ${between(game, [low, high])}`;
  });
  return [when, ...parts].join(" · ");
}

/** The chance to win at a clock. */
export function winReadout(game, course, elapsed) {
  const made = course.forecasts.findLast(([at]) => at <= elapsed);
  return made ? `${clockAt(made[0])} · ${winText(game, made[1])}` : clockAt(elapsed);
}

const nearest = (points, at) =>
  points.reduce((best, point) =>
    Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best,
  );

/** The win probability over time for those who do not see it. */
export function winLabel(game, course) {
  if (course.forecasts.length === 0) return "No win probability yet.";
  const [at, probability] = course.forecasts.at(-1);
  const chances = course.forecasts.map(([, chance]) => chance);
  const [low, high] = [Math.min(...chances), Math.max(...chances)];
  return (
    `${winText(game, probability)} at ${clockAt(at)}; so far between ` +
    `${winText(game, low)} and ${winText(game, high)}.`
  );
}

/** The course as rows of [minute, margin, chance to win]. */
export function minuteRows(game, course) {
  return minutesOf(course).map(([minute, margin]) => {
    const made = course.forecasts.findLast(([at]) => at <= minute * 60);
    const chance = made && made[0] > (minute - 1) * 60 ? winText(game, made[1]) : "–";
    return [String(minute), lead(game, margin, 0), chance];
  });
}

// --- déjà vu ------------------------------------------------------------------------------------

/** What the similar games did from here on. */
export function dejavuIntro(game, similar) {
  if (!similar) {
    return game.elapsed === null
      ? "Once a minute has been played, the past games that went alike stand here."
      : "No similar games are known yet.";
  }
  const games = usable(similar);
  if (games.length === 0) return "No similar games are known.";
  const { halftime, final } = changes({ games, minute: similar.minute });
  const going = (numbers) => lead(game, similar.margin + median(numbers));
  const half = halftime ? `${going(halftime)} at halftime and ` : "";
  return (
    `${games.length} past games that went alike through minute ${similar.minute}. Had this one gone on ` +
    `as they did, the middle would be ${half}${going(final)} at the end.`
  );
}

/** The déjà vu chart for those who do not see it. */
export function dejavuLabel(game, similar) {
  if (!similar) return "No similar games yet.";
  const games = usable(similar);
  const ends = games.map(({ margins, final_margin: final }) =>
    lead(game, similar.margin + final - margins[similar.minute - 1], 0),
  );
  return `${games.length} past games drawn on from ${lead(game, similar.margin, 0)}; they lead to ${ends.join(", ")}.`;
}

const finalText = (past) => lead(past, past.final_margin, 0);

/** A similar game as a row: its name and date, its margin then, at halftime and at the end. */
export function similarRow(past, minute) {
  return {
    name: titleOf(past),
    date: dayText(past.date),
    then: lead(past, past.margins[minute - 1], 0),
    halftime: lead(past, past.halftime_margin, 0),
    final: finalText(past),
  };
}

/** The facts of one past game. */
export function pastFacts(past) {
  const score = Number.isFinite(past.final_home)
    ? `, ${past.away_team} ${past.final_away}, ${past.home_team} ${past.final_home}`
    : "";
  const kind = past.playoffs ? " (playoffs)" : "";
  return (
    `${dayText(past.date)}${kind}. Halftime ${lead(past, past.halftime_margin, 0)}, ` +
    `final ${finalText(past)}${score}.`
  );
}

/** A past game's course for those who do not see it. */
export function pastLabel(past) {
  const quarters = [12, 24, 36, 48].map((minute) => lead(past, past.margins[minute - 1], 0));
  const end = past.margins.at(-1) === past.final_margin ? "" : `, in the end ${finalText(past)}`;
  return `${titleOf(past)}: margins at the end of the quarters ${quarters.join(", ")}${end}.`;
}
