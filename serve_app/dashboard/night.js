// The night as the live feed tells it: messages in, games out. Nothing here touches the page.

const QUARTER_SECONDS = 720;
export const OVERTIME_SECONDS = 300;
export const TRIGGER_SECONDS = 1080;
export const HALFTIME_SECONDS = 1440;
export const END_SECONDS = 2880;

// A game of which nothing was heard for a day is of another night.
const NIGHT_MILLISECONDS = 24 * 3600 * 1000;
// Who looks at a game that ended has seen so by then.
const SETTLING_MILLISECONDS = 10 * 60 * 1000;

// Where a game of each state stands on the page. A game stays under way until it is declared over:
// its card keeps its place through the forecast and through halftime.
export const STATES = {
  live: "live",
  predicted: "live",
  missed: "live",
  resolved: "live",
  registered: "upcoming",
  ended: "settled",
};
export const PHASES = ["live", "upcoming", "settled"];

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
  return { games: new Map(), time: null, now: 0, predicted: [] };
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

/** A game from its view, as it was told at `now` in milliseconds. */
export function gameFrom(view, now) {
  const game = { ...view, trail: [[0, 0]], stale: false };
  const lag = view.feed_lag_seconds;
  game.heardAt = Number.isFinite(lag) ? now - lag * 1000 : null;
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
    night.games = new Map(message.games.map((view) => [view.game_id, gameFrom(view, night.now)]));
    night.predicted = [];
    return [...night.games.keys()];
  },

  resumed: () => [],

  system: () => [],

  heartbeat: () => [],

  game(night, message) {
    const view = message.game;
    if (night.games.has(view.game_id)) return [];
    night.games.set(view.game_id, gameFrom(view, night.now));
    return [view.game_id];
  },

  score(night, message) {
    return change(night, message, (game) => {
      game.state = message.state ?? game.state;
      game.heardAt = night.now;
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
      game.heardAt = night.now;
      game.forecast = null;
    });
  },
};

const UNASKED = ["snapshot", "resumed", "heartbeat"];
/** The types that the page asks the feed for; those that begin and keep a connection come anyway. */
export const ASKED_TYPES = Object.keys(HANDLERS).filter((type) => !UNASKED.includes(type));

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

/**
 * Take one message into the night; returns the ids of the games that it changed.
 *
 * `now` is the time of its arrival in milliseconds.
 */
export function apply(night, message, now = Date.now()) {
  if (!Object.hasOwn(HANDLERS, message.type)) return [];
  night.time = message.time;
  night.now = now;
  return HANDLERS[message.type](night, message);
}

/** Forget the games of which nothing was heard for a day; returns their ids. */
export function forgetOld(night, now) {
  const old = [...night.games.values()].filter(
    ({ heardAt }) => heardAt !== null && now - heardAt > NIGHT_MILLISECONDS,
  );
  for (const { game_id: id } of old) night.games.delete(id);
  return old.map(({ game_id: id }) => id);
}

/** The minutes up to 6:00 of Q2 that are over and saw no update. */
export function unseenMinutes({ trail, elapsed }) {
  const played = Math.floor(Math.min(elapsed ?? 0, TRIGGER_SECONDS) / 60);
  const seen = new Set(trail.map(([at]) => Math.ceil(at / 60)));
  const minutes = Array.from({ length: played }, (_, index) => index + 1);
  return minutes.filter((minute) => !seen.has(minute));
}

/** The section of the page in which a game stands. */
export function phaseOf(game) {
  return STATES[game.state] ?? "live";
}

function compare(first, second) {
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function precedes(first, second) {
  return (
    compare(first.start_time ?? "", second.start_time ?? "") ||
    compare(first.game_id, second.game_id)
  );
}

/**
 * Where a card stands next, which stood in `stood`, or nowhere: a game that ends under the reader's
 * eyes keeps its place until `anew`, or every card below it would move. One that begins goes to those
 * under way at once: there it is looked for.
 */
export function phaseAfter(stood, game, anew) {
  const phase = phaseOf(game);
  return !anew && stood && phase === "settled" ? stood : phase;
}

/** The games that are over and of which nothing was heard for a while; their ids. */
export function longOver(night, now) {
  const isLongAgo = ({ heardAt }) => now - (heardAt ?? 0) > SETTLING_MILLISECONDS;
  return [...night.games.values()]
    .filter((game) => phaseOf(game) === "settled" && isLongAgo(game))
    .map(({ game_id: id }) => id);
}

/** The games of each section, in the order in which they are shown. */
export function arrange(night, phaseFor = phaseOf) {
  const phases = new Map(PHASES.map((phase) => [phase, []]));
  for (const game of night.games.values()) phases.get(phaseFor(game)).push(game);
  for (const games of phases.values()) games.sort(precedes);
  return phases;
}

/** Whether a game has an outcome that counts: of a forecast made after halftime it does not. */
export const isResolved = ({ prediction }) =>
  Boolean(prediction?.outcome) && !prediction.made_after_halftime;

/** How many games there are, how many have a prediction, how many an outcome that counts. */
export function counts(night) {
  let predicted = 0;
  let resolved = 0;
  for (const game of night.games.values()) {
    if (game.prediction) predicted += 1;
    if (isResolved(game)) resolved += 1;
  }
  return { games: night.games.size, predicted, resolved };
}
