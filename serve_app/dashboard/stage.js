// The stage: one view at a time, the one that the address names.

import { hrefOf } from "./router.js";

const NAMES = { tonight: "Tonight", game: "Game", accuracy: "Accuracy", system: "System" };
const viewNode = (name) => document.querySelector(`main > [data-view="${name}"]`);
const anchorOf = (name) => document.querySelector(`#views > [data-nav="${name}"]`);

/**
 * Shows views, which are opened, drawn and closed in their turn.
 *
 * `makers` make a view in its node by name, as a promise; those in `views` are there already.
 * `isLocked` says whether a key is asked for: then an address is followed, but nothing is opened.
 */
export class Stage {
  constructor({ views, makers, isLocked, redraw }) {
    this.views = views;
    this.makers = makers;
    this.isLocked = isLocked;
    this.redraw = redraw;
    this.route = { view: "tonight", gameId: null };
    this.making = new Map();
    this.scrolled = 0;
    // The views as they were before anything was shown in them.
    this.untouched = new Map(
      Object.keys(makers).map((name) => [name, viewNode(name).cloneNode(true)]),
    );
  }

  get #current() {
    return this.views.get(this.route.view);
  }

  /** What is looked at, for the title. */
  get place() {
    return this.#current?.title() || NAMES[this.route.view];
  }

  /** Go where an address leads; `moved` where the reader asked for it just now. */
  show(route, moved) {
    // Whoever looked at one game finds the others where they were.
    if (this.route.view === "tonight") this.scrolled = scrollY;
    this.route = route;
    for (const [name, view] of this.views) if (name !== route.view) view.close();
    for (const name of Object.keys(NAMES)) {
      viewNode(name).hidden = name !== route.view;
      if (name === route.view) anchorOf(name).setAttribute("aria-current", "page");
      else anchorOf(name).removeAttribute("aria-current");
    }
    if (route.view === "game") {
      anchorOf("game").hidden = false;
      anchorOf("game").href = hrefOf("game", route.gameId);
    }
    if (moved && !this.isLocked()) {
      this.focus();
      scrollTo(0, route.view === "tonight" ? this.scrolled : 0);
    }
    return this.open();
  }

  /** Open the view that is shown; it is loaded where it is not there yet. */
  async open() {
    const { route } = this;
    this.redraw();
    if (this.isLocked()) return;
    try {
      await this.#make(route.view);
    } catch (error) {
      // The service may be away just now; it is tried again with the next connection.
      console.warn(`the view ${route.view} could not be loaded`, error);
      return;
    }
    if (this.route !== route || this.isLocked() || !this.#current) return;
    this.#current.open(route.gameId);
    this.redraw();
  }

  // Once, however often it is asked for while it is loaded.
  async #make(name) {
    if (this.views.has(name)) return;
    const making = this.making.get(name) ?? this.makers[name](viewNode(name));
    this.making.set(name, making);
    try {
      const view = await making;
      // Where everything was forgotten meanwhile, the view is of a node that is gone.
      if (this.making.get(name) === making) this.views.set(name, view);
    } finally {
      if (this.making.get(name) === making) this.making.delete(name);
    }
  }

  /** Open what could not be loaded before. */
  openMissing() {
    if (!this.#current && !this.making.has(this.route.view)) this.open();
  }

  focus() {
    viewNode(this.route.view)
      .querySelector('[data-part="heading"]')
      .focus({ preventScroll: true });
  }

  take(message, changed) {
    for (const view of this.views.values()) view.take(message, changed);
  }

  /** Draw the view that is shown; whether something is left for the next frame. */
  draw() {
    const more = this.#current?.draw() ?? false;
    const anchor = anchorOf("game");
    const name = this.route.view === "game" ? this.place : anchor.textContent;
    if (anchor.textContent !== name) anchor.textContent = name;
    return more;
  }

  /** Put the views back to how they were before anything was shown. */
  forget() {
    this.making.clear();
    for (const [name, node] of this.untouched) {
      this.views.get(name)?.close();
      this.views.delete(name);
      const fresh = node.cloneNode(true);
      fresh.hidden = name !== this.route.view;
      viewNode(name).replaceWith(fresh);
    }
    anchorOf("game").hidden = this.route.view !== "game";
    anchorOf("game").textContent = NAMES.game;
  }
}
