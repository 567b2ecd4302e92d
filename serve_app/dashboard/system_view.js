// System: what the service says of itself every few seconds.

import { partsOf, setAttribute, setPath, setText } from "./parts.js";
import { sparkPaths } from "./spark.js";
import * as words from "./system_words.js";

/** The view of the service. `reports` are those that came by push; the first is asked for. */
export class SystemView {
  constructor(root, { reports, fetchJson, redraw }) {
    this.root = root;
    this.reports = reports;
    this.fetchJson = fetchJson;
    this.redraw = redraw;
    this.parts = partsOf(root);
    this.dirty = true;
    this.silentSince = null;
  }

  title = () => "System";

  async open() {
    this.isOpen = true;
    this.dirty = true;
    if (this.reports.newest) return;
    try {
      const system = await this.fetchJson("system");
      if (this.isOpen && !this.reports.newest) this.reports.add(system);
    } catch {
      // The next one comes by push.
    }
    this.dirty = true;
    this.redraw();
  }

  close() {
    this.isOpen = false;
  }

  take(message) {
    if (message.type === "system") this.dirty = true;
  }

  draw() {
    const silentSince = this.reports.silentSince(Date.now());
    if (!this.dirty && silentSince === this.silentSince) return false;
    this.dirty = false;
    this.silentSince = silentSince;
    this.#drawReport(this.reports.newest, silentSince);
    this.#drawSpark();
    return false;
  }

  #drawReport(system, silentSince) {
    const { parts } = this;
    const said = words.figuresOf(system ?? {});
    for (const [name, text] of Object.entries(said)) setText(parts[name], text);
    setText(parts.summary, words.summaryOf(system, silentSince));
    const trouble = system !== null && words.troubles(system, silentSince).length > 0;
    parts.summary.dataset.trouble = trouble ? "yes" : "no";
  }

  #drawSpark() {
    const { parts } = this;
    const { rates, span } = this.reports;
    const { line, area } = sparkPaths(rates);
    setPath(parts["spark-line"], line);
    setPath(parts["spark-area"], area);
    setAttribute(parts.spark, "aria-label", words.sparkLabel(rates));
    setText(parts["spark-note"], words.sparkNote(rates, span));
  }
}
