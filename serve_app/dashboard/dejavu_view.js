// The past games that went like the live one: their lines, their list, and one of them in full.

import { usable } from "./dejavu.js";
import { dejavuFigure, pastFigure } from "./game_figures.js";
import * as told from "./game_words.js";
import { element, setText } from "./parts.js";
import { Plot } from "./plot.js";
import { SimilarGames } from "./similar_games.js";
import { titleOf } from "./words.js";

/** A part of the game's view; `begin` takes a game, `follow` its clock. */
export class DejavuView {
  constructor(parts, { fetchJson, changed }) {
    this.parts = parts;
    this.fetchJson = fetchJson;
    this.changed = changed;
    this.games = new SimilarGames({ fetchJson, onChange: changed });
    this.plot = new Plot(parts["dejavu-plot"]);
    this.pastPlot = new Plot(parts["past-plot"]);
    parts["past-close"].addEventListener("click", () => this.leave());
    this.begin(null);
  }

  begin(id) {
    this.games.begin(id);
    this.picked = null;
    this.past = null;
  }

  /** Take the game's clock in; undefined where the game is not known yet. */
  follow(elapsed) {
    this.games.follow(elapsed);
  }

  /** Ask again at the next occasion. */
  renew() {
    this.games.renew();
  }

  /** Nobody looks any more. */
  close() {
    this.games.rest();
  }

  draw(game, course) {
    const { parts, picked } = this;
    const similar = this.games.answer;
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

  /** Pick none; the keyboard's place goes back to the one that was picked, if it is still there. */
  leave() {
    if (this.picked === null) return;
    const place = this.#button(this.picked) ?? this.parts.heading;
    place.focus({ preventScroll: true });
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
