// The newest reports of the service on itself, a quarter of an hour of them.

const MOST = 180; // one every 5 seconds

/** Kept from the first message on, so that a view which is opened later has a past. */
export class Reports {
  kept = [];

  get newest() {
    return this.kept.at(-1) ?? null;
  }

  add(report) {
    this.kept.push(report);
    if (this.kept.length > MOST) this.kept.shift();
  }

  forget() {
    this.kept.length = 0;
  }
}
