// The past games most like one game, as `/similar` tells them: asked for with each minute completed.

const SIMILAR_GAMES = 10;
const MOST_MINUTES = 48;
// All who look at a game see its minute completed at once: they are not to ask all at once.
const SPREAD_MILLISECONDS = [0, 2_000];
const RETRY_MILLISECONDS = [3_000, 6_000];

/** Keeps the newest answer; `onChange` is called with each. `random` is from 0 to 1. */
export class SimilarGames {
  constructor({ fetchJson, onChange, random = Math.random }) {
    this.fetchJson = fetchJson;
    this.onChange = onChange;
    this.random = random;
    this.begin(null);
  }

  /** Of another game from now on. */
  begin(id) {
    this.rest();
    this.id = id;
    this.answer = null;
    this.minute = null;
  }

  /** Take the game's clock in; undefined where the game is not known yet. */
  follow(elapsed) {
    if (elapsed === undefined) return;
    const minute = Math.min(Math.floor((elapsed ?? 0) / 60), MOST_MINUTES);
    if (minute === this.minute) return;
    const pause = this.minute === null ? 0 : this.#between(SPREAD_MILLISECONDS);
    this.minute = minute;
    if (minute > 0) this.#askIn(pause, { again: true });
  }

  /** Ask at once at the next occasion. */
  renew() {
    this.minute = null;
  }

  /** Ask no more, and take no answer in, until `follow` is called after `renew`. */
  rest() {
    clearTimeout(this.timer);
    this.asked = null;
  }

  #between([least, most]) {
    return least + this.random() * (most - least);
  }

  // Whatever was asked before is not waited for: its answer may come after the newer one.
  #askIn(pause, { again }) {
    this.rest();
    const asked = (this.asked = {});
    this.timer = setTimeout(() => this.#ask(asked, again), pause);
  }

  async #ask(asked, again) {
    try {
      const path = `games/${encodeURIComponent(this.id)}/similar?limit=${SIMILAR_GAMES}`;
      const answer = await this.fetchJson(path);
      if (this.asked !== asked) return;
      this.answer = answer;
    } catch (error) {
      if (this.asked !== asked) return;
      // That no minute is completed yet is no fault. What fails twice is left to the next minute.
      if (error.status === 404) this.answer = null;
      else if (again) this.#askIn(this.#between(RETRY_MILLISECONDS), { again: false });
    }
    this.onChange();
  }
}
