// The record so far, as `/accuracy` and `/accuracy/days` tell it: fetched anew as outcomes come.

// Outcomes come in bursts, and all who look hear of them at once: they are not to ask all at once.
const SETTLE_MILLISECONDS = [1_500, 5_000];
const RETRY_MILLISECONDS = [10_000, 20_000];

/** Keeps what was fetched last; `onChange` is called with each answer. `random` is from 0 to 1. */
export class Record {
  constructor({ fetchJson, mayAsk, onChange, random = Math.random }) {
    this.fetchJson = fetchJson;
    this.mayAsk = mayAsk;
    this.onChange = onChange;
    this.random = random;
    this.accuracy = null;
    this.days = null;
    this.wantsDays = false;
    this.timer = null;
    this.due = Infinity;
    this.asking = null;
  }

  /** Outcomes come in bursts: those of a moment are asked for together. */
  outcomeCame() {
    this.refresh(this.#between(SETTLE_MILLISECONDS));
  }

  /** The days are fetched from now on as well, or no longer. */
  wantDays(wanted) {
    this.wantsDays = wanted;
    if (wanted) this.refresh(0);
  }

  /** Ask in so many milliseconds, or sooner where that is under way. */
  refresh(pause) {
    const due = Date.now() + pause;
    if (due >= this.due) return;
    this.due = due;
    if (this.asking) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), pause);
  }

  /** What is asked now is nobody's any more. */
  forget() {
    clearTimeout(this.timer);
    this.due = Infinity;
    this.asking = null;
    this.accuracy = null;
    this.days = null;
    this.onChange();
  }

  async #ask() {
    this.due = Infinity;
    const asking = (this.asking = {});
    const failed = !(await this.#fetch(asking));
    if (this.asking !== asking) return;
    this.asking = null;
    this.onChange();
    // What was wanted meanwhile is asked for now; what failed, for as long as there is a service.
    const isDue = this.due < Infinity;
    const pause = isDue ? Math.max(0, this.due - Date.now()) : this.#between(RETRY_MILLISECONDS);
    this.due = Infinity;
    if (isDue || (failed && this.mayAsk())) this.refresh(pause);
  }

  // Whether all was answered.
  async #fetch(asking) {
    try {
      const accuracy = await this.fetchJson("accuracy");
      if (this.asking !== asking) return false;
      this.accuracy = accuracy;
      if (!this.wantsDays) return true;
      const days = await this.fetchJson("accuracy/days");
      if (this.asking === asking) this.days = days;
      return true;
    } catch {
      return false;
    }
  }

  #between([least, most]) {
    return least + this.random() * (most - least);
  }
}
