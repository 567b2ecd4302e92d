// Tonight: a card per game, in the order of the night, and the record so far.

import { Card } from "./card.js";
import { arrange, counts, phaseAfter, phaseOf } from "./night.js";
import { partsOf, setText } from "./parts.js";
import { recordOf } from "./record_words.js";

const DRAWING_MILLISECONDS = 8;
const CROWD = 60;

/** The view of all games. `take` notes what is to be drawn, `draw` does it. */
export class TonightView {
  constructor(root, { template, night, record, isLive }) {
    this.root = root;
    this.template = template;
    this.night = night;
    this.record = record;
    this.isLive = isLive;
    this.parts = partsOf(root);
    this.sections = new Map(
      [...root.querySelectorAll(".phase")].map((node) => [node.dataset.phase, node]),
    );
    this.cards = new Map();
    this.phases = new Map();
    this.dirty = new Set();
    this.fresh = new Set();
    this.arranged = false;
  }

  title = () => "Tonight";

  open() {
    this.settle();
  }

  close() {}

  /** The view shows none of what a key had shown. */
  forget() {
    this.dirty.clear();
    this.arranged = false;
  }

  take(message, changed) {
    for (const id of changed) this.dirty.add(id);
    this.#put(changed, message.type === "snapshot");
    if (message.type === "snapshot") this.arranged = false;
    if (message.type === "prediction") this.fresh.add(message.game_id);
  }

  /** Put the cards of games that are over where they belong: of all, where nobody looks. */
  settle(ids = this.night.games.keys()) {
    this.#put(ids, true);
  }

  // In which section the cards of these games stand.
  #put(ids, anew) {
    for (const id of ids) {
      const game = this.night.games.get(id);
      if (!game) continue;
      const stood = this.phases.get(id);
      const phase = phaseAfter(stood, game, anew);
      if (phase === stood) continue;
      this.phases.set(id, phase);
      this.arranged = false;
    }
  }

  /** Some games are no longer of this night. */
  gamesLeft() {
    this.arranged = false;
  }

  /** Draw for a few milliseconds at most; whether something is left for the next frame. */
  draw() {
    const end = performance.now() + DRAWING_MILLISECONDS;
    let drew = 0;
    if (!this.arranged) this.#forgetGone();
    for (const id of this.dirty) {
      if (drew > 0 && performance.now() > end) break;
      this.dirty.delete(id);
      this.#drawCard(id);
      drew += 1;
    }
    if (!this.arranged) this.#place();
    this.#drawCounts();
    this.#drawRecord();
    return this.dirty.size > 0;
  }

  #drawCard(id) {
    const game = this.night.games.get(id);
    if (!game) return;
    if (!this.cards.has(id)) {
      this.cards.set(id, new Card(this.template));
      this.arranged = false;
    }
    const card = this.cards.get(id);
    card.update(game);
    if (this.fresh.delete(id)) card.celebrate();
  }

  #forgetGone() {
    for (const [id, card] of this.cards) {
      if (this.night.games.has(id)) continue;
      card.root.remove();
      this.cards.delete(id);
      this.phases.delete(id);
    }
  }

  // Moving a card keeps the keyboard's place in it.
  #place() {
    const focused = document.activeElement;
    const stands = (game) => this.phases.get(game.game_id) ?? phaseOf(game);
    for (const [phase, games] of arrange(this.night, stands)) {
      const section = this.sections.get(phase);
      const list = section.querySelector(".cards");
      let next = list.firstElementChild;
      for (const { game_id: id } of games) {
        const root = this.cards.get(id)?.root;
        if (!root) continue;
        if (root === next) next = next.nextElementSibling;
        else list.insertBefore(root, next);
      }
      section.hidden = games.length === 0;
      setText(section.querySelector(".count"), String(games.length));
    }
    if (focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
    this.arranged = this.dirty.size === 0;
  }

  #drawCounts() {
    const { games, predicted, resolved } = counts(this.night);
    setText(this.parts.games, String(games));
    setText(this.parts.predicted, String(predicted));
    setText(this.parts.resolved, String(resolved));
    this.parts.empty.hidden = games > 0 || !this.isLive();
    // What stands below the cards comes after them, so that they do not push it down.
    if (this.isLive() && this.dirty.size === 0) this.parts.legend.hidden = false;
    this.root.classList.toggle("crowded", games > CROWD);
  }

  #drawRecord() {
    const { parts } = this;
    const said = recordOf(this.record.accuracy);
    for (const [name, text] of Object.entries(said)) setText(parts[name], text);
  }

  /** How to begin, as commands against this service. */
  showExample(text) {
    setText(this.parts.example, text);
  }
}
