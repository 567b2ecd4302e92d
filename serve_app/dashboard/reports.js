// The newest reports of the service on itself, a quarter of an hour of them.

const MOST = 180; // one every 5 seconds
const OVERDUE_MILLISECONDS = 15_000; // three of them

/** Kept from the first message on, so that a view which is opened later has a past. */
export class Reports {
  // As { system, at }: what was told, and when it came by the page's clock, in milliseconds.
  kept = [];

  get newest() {
    return this.kept.at(-1)?.system ?? null;
  }

  /** The updates a second of each report. */
  get rates() {
    return this.kept.map(({ system }) => system.updates_per_second);
  }

  /** Seconds from the first report that is kept to the newest. */
  get span() {
    return this.kept.length > 0 ? (this.kept.at(-1).at - this.kept[0].at) / 1000 : 0;
  }

  /** When the newest came, where others should have come since; else null. */
  silentSince(now) {
    const at = this.kept.at(-1)?.at ?? now;
    return now - at > OVERDUE_MILLISECONDS ? at : null;
  }

  add(system, at = Date.now()) {
    this.kept.push({ system, at });
    if (this.kept.length > MOST) this.kept.shift();
  }

  forget() {
    this.kept.length = 0;
  }
}
