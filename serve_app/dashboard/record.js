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
    this.asking = null;
  }

  /** Outcomes come in bursts: those of a moment are asked for together. */
  outcomeCame() {
    this.refresh(SETTLE_MILLISECONDS);
  }

  /** The days are fetched from now on as well. */
  wantDays() {
    this.wantsDays = true;
    this.refresh(0);
  }

  refresh(pause) {
    this.asking ??= setTimeout(() => this.#ask(), pause);
  }

  forget() {
    this.accuracy = null;
    this.days = null;
    this.onChange();
  }

  async #ask() {
    const wanted = this.wantsDays;
    let failed = false;
    try {
      this.accuracy = await this.fetchJson("accuracy");
      if (wanted) this.days = await this.fetchJson("accuracy/days");
    } catch {
      failed = true;
    }
    this.asking = null;
    this.onChange();
    if (!this.mayAsk()) return;
    if (failed) this.refresh(RETRY_MILLISECONDS);
    else if (this.wantsDays && !wanted) this.refresh(0);
  }
}
