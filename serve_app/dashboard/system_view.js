// System: what the service says of itself every few seconds.

import { partsOf, setAttribute, setPath, setText } from "./parts.js";
import { sparkPaths } from "./spark.js";
import * as words from "./system_words.js";

const REPORT_SECONDS = 5;

/** The view of the service. `reports` are those that came by push; the first is asked for. */
export class SystemView {
  constructor(root, { reports, fetchJson, redraw }) {
    this.root = root;
    this.reports = reports;
    this.fetchJson = fetchJson;
    this.redraw = redraw;
    this.parts = partsOf(root);
    this.dirty = true;
  }

  title = () => "System";

  async open() {
    this.dirty = true;
    if (this.reports.newest) return;
    try {
      const system = await this.fetchJson("system");
      if (!this.reports.newest) this.reports.add(system);
    } catch {
      // The next one comes by push.
    }
    this.dirty = true;
    this.redraw();
  }

  close() {}

  take(message) {
    if (message.type === "system") this.dirty = true;
  }

  draw() {
    if (!this.dirty) return false;
    this.dirty = false;
    const { parts } = this;
    const system = this.reports.newest;
    const said = words.figuresOf(system ?? {});
    for (const [name, text] of Object.entries(said)) setText(parts[name], text);
    setText(parts.summary, words.summaryOf(system));
    parts.summary.dataset.trouble = system && words.troubles(system).length > 0 ? "yes" : "no";
    const rates = this.reports.kept.map((report) => report.updates_per_second);
    const { line, area } = sparkPaths(rates);
    setPath(parts["spark-line"], line);
    setPath(parts["spark-area"], area);
    setAttribute(parts.spark, "aria-label", words.sparkLabel(rates));
    setText(parts["spark-note"], words.sparkNote(rates, (rates.length - 1) * REPORT_SECONDS));
    return false;
  }
}
