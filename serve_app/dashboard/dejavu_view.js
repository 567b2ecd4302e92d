// The past games that went like the live one: their lines, their list, and one of them in full.

import { usable } from "./dejavu.js";
import { dejavuFigure, pastFigure } from "./game_figures.js";
import * as told from "./game_words.js";
import { END_SECONDS } from "./night.js";
import { element, setText } from "./parts.js";
import { Plot } from "./plot.js";
import { titleOf } from "./words.js";

const SIMILAR_GAMES = 10;

/** A part of the game's view; `begin` takes a game, `follow` its clock. */
export class DejavuView {
  constructor(parts, { fetchJson, changed }) {
    this.parts = parts;
    this.fetchJson = fetchJson;
    this.changed = changed;
    this.plot = new Plot(parts["dejavu-plot"]);
    this.pastPlot = new Plot(parts["past-plot"]);
    parts["past-close"].addEventListener("click", () => this.leave());
    this.begin(null);
  }

  begin(id) {
    this.id = id;
    this.similar = null;
    this.minute = null;
    this.picked = null;
    this.past = null;
  }

  /** Ask for the games of the minute that was completed last, where it is another one. */
  follow(elapsed) {
    const minute = Math.min(Math.floor((elapsed ?? 0) / 60), END_SECONDS / 60);
    if (minute < 1 || minute === this.minute) return;
    this.minute = minute;
    this.#fetch();
  }

  /** Ask again at the next occasion. */
  renew() {
    this.minute = null;
  }

  async #fetch() {
    const { id } = this;
    try {
      const path = `games/${encodeURIComponent(id)}/similar?limit=${SIMILAR_GAMES}`;
      const similar = await this.fetchJson(path);
      if (this.id !== id) return;
      this.similar = similar;
    } catch (error) {
      if (this.id !== id) return;
      // Asked for again with the next minute; nothing completed yet is no fault.
      if (error.status === 404) this.similar = null;
    }
    this.changed();
  }

  draw(game, course) {
    const { parts, similar, picked } = this;
    setText(parts["dejavu-intro"], told.dejavuIntro(game, similar));
    parts["dejavu-body"].hidden = !similar;
    parts.past.hidden = this.past === null;
    if (!similar) return;
    const label = told.dejavuLabel(game, similar);
    this.plot.show(dejavuFigure(game, course, similar, picked), label);
    this.#drawRows(similar);
  }

  // The rows are made anew where the games change; the keyboard's place is kept where it can be.
  #drawRows(similar) {
    const list = this.parts["dejavu-rows"];
    const games = usable(similar);
    const key = JSON.stringify([similar.minute, games.map(({ game_id: id }) => id)]);
    if (key !== this.rowsKey) {
      this.rowsKey = key;
      const focused = document.activeElement?.dataset.past;
      list.replaceChildren(...games.map((past) => this.#row(past, similar.minute)));
      if (focused) this.#button(focused)?.focus();
    }
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.past === this.picked));
    }
  }

  #button(id) {
    return this.parts["dejavu-rows"].querySelector(`[data-past="${CSS.escape(id)}"]`);
  }

  #row(past, minute) {
    const said = told.similarRow(past, minute);
    const button = element("button", "past-name", said.name);
    button.type = "button";
    button.dataset.past = past.game_id;
    button.addEventListener("click", () => {
      if (this.picked === past.game_id) this.leave();
      else this.#pick(past.game_id);
    });
    const row = element("tr");
    const head = row.appendChild(element("th"));
    head.scope = "row";
    head.append(button, element("span", "date", said.date));
    row.append(
      element("td", "number wide", said.then),
      element("td", "number", said.halftime),
      element("td", "number", said.final),
    );
    return row;
  }

  async #pick(id) {
    this.picked = id;
    this.past = null;
    this.changed();
    try {
      const past = await this.fetchJson(`library/${encodeURIComponent(id)}`);
      if (this.picked !== id) return;
      this.past = past;
      this.#showPast(past);
    } catch {
      // Its line stays picked; its own course can be asked for again.
    }
    this.changed();
  }

  /** Pick none; the keyboard's place goes back to the one that was picked. */
  leave() {
    if (this.picked === null) return;
    this.#button(this.picked)?.focus({ preventScroll: true });
    this.picked = null;
    this.past = null;
    this.changed();
  }

  #showPast(past) {
    const { parts } = this;
    setText(parts["past-title"], titleOf(past));
    setText(parts["past-facts"], told.pastFacts(past));
    parts.past.hidden = false;
    this.pastPlot.show(pastFigure(past), told.pastLabel(past));
  }
}
