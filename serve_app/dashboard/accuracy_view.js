// Accuracy: predictions against outcomes, beside persistence, and whether they can be trusted.

import { partsOf, rowsOf, setText } from "./parts.js";
import { Plot } from "./plot.js";
import { calibrationFigure, daysFigure, scatterFigure } from "./record_figures.js";
import * as words from "./record_words.js";

const SHOWN_OUTCOMES = 20;

/** The view of the record; drawn anew with each answer and each outcome. */
export class AccuracyView {
  constructor(root, { night, record, redraw }) {
    this.night = night;
    this.record = record;
    this.redraw = redraw;
    this.parts = partsOf(root);
    this.scatter = new Plot(this.parts.scatter);
    this.calibration = new Plot(this.parts.calibration);
    this.days = new Plot(this.parts["days-plot"]);
    this.drawn = null;
  }

  title = () => "Accuracy";

  open() {
    this.record.wantDays(true);
    this.dirty = true;
  }

  close() {
    this.record.wantDays(false);
  }

  take(message) {
    if (["snapshot", "prediction", "outcome"].includes(message.type)) this.dirty = true;
  }

  draw() {
    const { accuracy, days } = this.record;
    const told = [accuracy, days];
    if (!this.dirty && this.drawn?.every((answer, index) => answer === told[index])) return false;
    this.drawn = told;
    this.dirty = false;
    this.#drawSummary(accuracy);
    this.#drawOutcomes(accuracy);
    this.#drawDays(days?.days ?? []);
    this.#drawCalibration(days?.calibration ?? []);
    return false;
  }

  #drawSummary(accuracy) {
    const { parts } = this;
    setText(parts.summary, words.summaryOf(accuracy));
    setText(parts.alarm, words.alarmText(accuracy?.drift_alarm));
    parts.alarm.dataset.raised = accuracy?.drift_alarm.raised ? "yes" : "no";
    this.#fill("skill", accuracy ? words.skillRows(accuracy) : []);
  }

  #drawOutcomes(accuracy) {
    const games = words.resolvedOf([...this.night.games.values()]);
    this.scatter.show(scatterFigure(games), words.scatterLabel(games));
    const note = words.scatterNote(games.length, accuracy?.resolved ?? 0);
    setText(this.parts["scatter-note"], note);
    this.#fill("outcomes", words.outcomeRows(games, SHOWN_OUTCOMES));
  }

  #drawDays(days) {
    this.parts["days-figure"].hidden = days.length < 2;
    if (days.length > 1) this.days.show(daysFigure(days), words.daysLabel(days));
    this.#fill("days", words.dayRows(days));
  }

  #drawCalibration(calibration) {
    this.calibration.show(calibrationFigure(calibration), words.calibrationLabel(calibration));
    setText(this.parts["calibration-note"], words.calibrationNote(calibration));
  }

  #fill(name, rows) {
    this.parts[name].replaceChildren(
      ...rowsOf(rows.map((cells) => cells.map((text, index) => [text, index ? "number" : ""]))),
    );
  }
}
