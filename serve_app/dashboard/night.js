// The night as the live feed tells it: messages in, games out. Nothing here touches the page.

const QUARTER_SECONDS = 720;
const OVERTIME_SECONDS = 300;
export const TRIGGER_SECONDS = 1080;
export const HALFTIME_SECONDS = 1440;

// Where a game of each state stands on the page: its section, and its rank in that section.
export const STATES = {
  live: { phase: "live", rank: 0 },
  predicted: { phase: "predicted", rank: 0 },
  registered: { phase: "upcoming", rank: 0 },
  missed: { phase: "settled", rank: 0 },
  resolved: { phase: "settled", rank: 0 },
  ended: { phase: "settled", rank: 1 },
};
const UNKNOWN_STATE = { phase: "live", rank: 1 };
export const PHASES = ["live", "predicted", "upcoming", "settled"];

const CLOCK = /^(?:PT)?(?:(\d{1,2})[:M])?:?(\d{1,2}(?:\.\d+)?)S?$/;

/** Seconds remaining in the period from a clock text such as `6:00`, `57.0` or `PT06M00.00S`. */
export function secondsRemaining(text) {
  const match = CLOCK.exec(text ?? "");
  return match ? Number(match[1] ?? 0) * 60 + Number(match[2]) : null;
}

/** Game seconds elapsed, or null where the clock is not known. */
export function elapsedSeconds(quarter, timeRemaining) {
  const left = secondsRemaining(timeRemaining);
  if (!quarter || left === null) return null;
  if (quarter <= 4) return quarter * QUARTER_SECONDS - left;
  return 4 * QUARTER_SECONDS + (quarter - 4) * OVERTIME_SECONDS - left;
}

/** A night before its first snapshot. `predicted` collects games that just got their forecast. */
export function emptyNight() {
  return { games: new Map(), seq: 0, time: null, predicted: [] };
}

// The trail is the first half's margin as [elapsed seconds, margin], sorted by game clock.
function addPoint(trail, at, margin) {
  if (at === null || at < 0 || at > HALFTIME_SECONDS) return;
  let index = trail.length;
  while (index > 0 && trail[index - 1][0] >= at) index -= 1;
  const replaced = index < trail.length && trail[index][0] === at ? 1 : 0;
  trail.splice(index, replaced, [at, margin]);
}

function addPattern(game, pattern, missing) {
  const skipped = new Set(missing);
  pattern.forEach((margin, index) => {
    const minute = index + 1;
    if (Number.isFinite(margin) && !skipped.has(minute)) addPoint(game.trail, minute * 60, margin);
  });
}

function gameFrom(view) {
  const game = { ...view, trail: [[0, 0]] };
  game.elapsed = elapsedSeconds(view.quarter, view.time_remaining);
  addPattern(game, view.pattern ?? [], view.missing_minutes ?? []);
  if (Number.isFinite(view.margin)) addPoint(game.trail, game.elapsed, view.margin);
  const outcome = view.prediction?.outcome;
  if (outcome) addPoint(game.trail, HALFTIME_SECONDS, outcome.halftime_margin);
  return game;
}

// A snapshot and the messages after it may overlap: every handler can be given the same twice.
const HANDLERS = {
  snapshot(night, message) {
    night.games = new Map(message.games.map((view) => [view.game_id, gameFrom(view)]));
    night.predicted = [];
    return [...night.games.keys()];
  },

  resumed: () => [],

  heartbeat: () => [],

  game(night, message) {
    const view = message.game;
    if (night.games.has(view.game_id)) return [];
    night.games.set(view.game_id, gameFrom(view));
    return [view.game_id];
  },

  score(night, message) {
    return change(night, message, (game) => {
      game.state = message.state ?? game.state;
      if (message.flags?.includes("superseded")) return;
      const elapsed = elapsedSeconds(message.quarter, message.time_remaining);
      addPoint(game.trail, elapsed, message.margin);
      // A late update fills in the past; the card keeps showing the latest game clock.
      if (isBefore(elapsed, message.quarter, game)) return;
      game.elapsed = elapsed;
      game.quarter = message.quarter;
      game.time_remaining = message.time_remaining;
      game.score_home = message.score_home;
      game.score_away = message.score_away;
      game.margin = message.margin;
    });
  },

  forecast(night, message) {
    return change(night, message, (game) => {
      const { forecast } = message;
      if (forecast.updates > (game.forecast?.updates ?? 0)) game.forecast = forecast;
    });
  },

  prediction(night, message) {
    return change(night, message, (game) => {
      if (game.state === "registered" || game.state === "live") game.state = "predicted";
      if (game.prediction) return;
      game.prediction = message.prediction;
      takePattern(game, message.prediction);
      night.predicted.push(game.game_id);
    });
  },

  revision(night, message) {
    return change(night, message, ({ prediction, trail }) => {
      const { revision } = message;
      const known = prediction?.revisions ?? [];
      if (!prediction || known.some(({ made_at: at }) => at === revision.made_at)) return;
      prediction.revisions = [...known, revision];
      takePattern({ trail }, revision);
    });
  },

  outcome(night, message) {
    return change(night, message, (game) => {
      if (game.prediction) game.prediction.outcome = message.outcome;
      if (game.state !== "ended") game.state = "resolved";
      addPoint(game.trail, HALFTIME_SECONDS, message.outcome.halftime_margin);
    });
  },

  ended(night, message) {
    return change(night, message, (game) => {
      game.state = "ended";
      game.forecast = null;
    });
  },
};

export const MESSAGE_TYPES = Object.keys(HANDLERS);

// A game older than those of the snapshot is not on the page; what is said of it is passed over.
function change(night, message, edit) {
  const game = night.games.get(message.game_id);
  if (!game) return [];
  edit(game);
  return [game.game_id];
}

function isBefore(elapsed, quarter, game) {
  if (elapsed === null) return true;
  if (game.elapsed === null || elapsed > game.elapsed) return false;
  return elapsed < game.elapsed || quarter < game.quarter;
}

// Without carried minutes a pattern is all evidence; with them it does not say which ones are.
function takePattern(game, { pattern, minutes_carried_forward: carried }) {
  if (carried === 0) addPattern(game, pattern, []);
}

/** Take one message into the night; returns the ids of the games that it changed. */
export function apply(night, message) {
  if (!Object.hasOwn(HANDLERS, message.type)) return [];
  night.seq = Math.max(night.seq, message.seq);
  night.time = message.time;
  return HANDLERS[message.type](night, message);
}

/** The minutes up to 6:00 of Q2 that are over and saw no update. */
export function unseenMinutes({ trail, elapsed }) {
  const played = Math.floor(Math.min(elapsed ?? 0, TRIGGER_SECONDS) / 60);
  const seen = new Set(trail.map(([at]) => Math.ceil(at / 60)));
  const minutes = Array.from({ length: played }, (_, index) => index + 1);
  return minutes.filter((minute) => !seen.has(minute));
}

/** The section of the page in which a game stands, and its rank there. */
export function standing(game) {
  return STATES[game.state] ?? UNKNOWN_STATE;
}

function compare(first, second) {
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function precedes(first, second) {
  return (
    standing(first).rank - standing(second).rank ||
    compare(first.start_time ?? "", second.start_time ?? "") ||
    compare(first.game_id, second.game_id)
  );
}

/** The games of each section, in the order in which they are shown. */
export function arrange(night) {
  const phases = new Map(PHASES.map((phase) => [phase, []]));
  for (const game of night.games.values()) phases.get(standing(game).phase).push(game);
  for (const games of phases.values()) games.sort(precedes);
  return phases;
}

/** How many games there are, how many have a prediction and how many of those an outcome. */
export function counts(night) {
  let predicted = 0;
  let resolved = 0;
  for (const { prediction } of night.games.values()) {
    if (prediction) predicted += 1;
    if (prediction?.outcome) resolved += 1;
  }
  return { games: night.games.size, predicted, resolved };
}
