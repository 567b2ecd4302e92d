// Feeds that fell silent: a game under way of which nothing came for a while.

import { secondsRemaining } from "./night.js";

export const STALE_SECONDS = 60;
// Between periods nothing is to come: halftime takes a quarter of an hour.
export const BREAK_SECONDS = 20 * 60;
const ASK_AGAIN_SECONDS = 60;

/** Seconds since something was heard of a game under way; null of any other. */
export function silenceOf(game, now) {
  if (game.state === "registered" || game.state === "ended" || game.heardAt === null) return null;
  return Math.max(0, (now - game.heardAt) / 1000);
}

/** Whether a game has been silent for longer than its clock explains. */
export function isSilent(game, now) {
  const silence = silenceOf(game, now);
  if (silence === null) return false;
  const left = secondsRemaining(game.time_remaining);
  return silence > (left === 0 ? BREAK_SECONDS : STALE_SECONDS);
}

/**
 * Flags games whose feed is silent, as `game.stale`.
 *
 * A scraper that repeats an unchanged score is not silent, but its repeats are not broadcast: before
 * a game is flagged, `ask(id)` gives its feed lag in seconds as the service knows it, or null.
 * `onChange(id)` is called where a flag has changed.
 */
export class SilenceWatch {
  constructor({ ask, onChange }) {
    this.ask = ask;
    this.onChange = onChange;
    this.asked = new Map();
  }

  /** Look at every game of the night. */
  check(night, now, linkIsLive) {
    for (const game of night.games.values()) {
      const silent = linkIsLive && isSilent(game, now);
      if (silent && this.#isDue(game, now)) this.#confirm(night, game, now);
      if (!silent) this.#flag(game, false);
    }
  }

  #isDue(game, now) {
    const last = this.asked.get(game.game_id);
    return last === undefined || now - last > ASK_AGAIN_SECONDS * 1000;
  }

  async #confirm(night, game, now) {
    this.asked.set(game.game_id, now);
    const lag = await this.ask(game.game_id);
    // While the answer was awaited the game may have left, or another have come in its place.
    if (lag === null || night.games.get(game.game_id) !== game) return;
    game.heardAt = Math.max(game.heardAt, now - lag * 1000);
    this.#flag(game, isSilent(game, now));
  }

  #flag(game, stale) {
    if (game.stale === stale) return;
    game.stale = stale;
    this.onChange(game.game_id);
  }
}
