// The record so far, as `/accuracy` and `/accuracy/days` tell it: fetched anew as outcomes come.

const SETTLE_MILLISECONDS = 1_500;
const RETRY_MILLISECONDS = 15_000;

/** Keeps what was fetched last; `onChange` is called with each new answer. */
export class Record {
  constructor({ fetchJson, mayAsk, onChange }) {
    this.fetchJson = fetchJson;
    this.mayAsk = mayAsk;
    this.onChange = onChange;
    this.accuracy = null;
    this.days = null;
    this.wantsDays = false;
    this.timer = null;
    this.due = Infinity;
    this.isAsking = false;
  }

  /** Outcomes come in bursts: those of a moment are asked for together. */
  outcomeCame() {
    this.refresh(SETTLE_MILLISECONDS);
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
    if (this.isAsking) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), pause);
  }

  forget() {
    this.accuracy = null;
    this.days = null;
    this.onChange();
  }

  async #ask() {
    this.due = Infinity;
    this.isAsking = true;
    let failed = false;
    try {
      this.accuracy = await this.fetchJson("accuracy");
      if (this.wantsDays) this.days = await this.fetchJson("accuracy/days");
    } catch {
      failed = true;
    }
    this.isAsking = false;
    this.onChange();
    // What was wanted meanwhile is asked for now; what failed, for as long as there is a service.
    const pause = this.due === Infinity ? RETRY_MILLISECONDS : Math.max(0, this.due - Date.now());
    const again = this.due < Infinity || (failed && this.mayAsk());
    this.due = Infinity;
    if (again) this.refresh(pause);
  }
}
