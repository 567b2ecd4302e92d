// Which view the address names. The hash alone changes, so the server always gives the same page.

export const VIEWS = ["tonight", "game", "accuracy", "system"];

const GAME = "#/game/";

/** The address of a view; a game's needs its id. */
export function hrefOf(view, gameId) {
  if (view === "game") return GAME + encodeURIComponent(gameId);
  return view === "tonight" ? "#/" : `#/${view}`;
}

/** The view that a hash names, and of which game; null for a place inside the page. */
export function routeOf(hash) {
  if (hash !== "" && !hash.startsWith("#/")) return null;
  if (hash.startsWith(GAME) && hash.length > GAME.length) {
    return { view: "game", gameId: decoded(hash.slice(GAME.length)) };
  }
  const name = hash.slice(2);
  return { view: name !== "game" && VIEWS.includes(name) ? name : "tonight", gameId: null };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Follows the address. `onRoute` gets a route, and whether the reader went there just now. */
export class Router {
  constructor({ place, onRoute }) {
    this.place = place;
    this.onRoute = onRoute;
    this.route = null;
  }

  start() {
    this.#follow(false);
    addEventListener("hashchange", () => this.#follow(true));
  }

  #follow(moved) {
    const route = routeOf(this.place.hash) ?? this.route ?? routeOf("");
    if (route.view === this.route?.view && route.gameId === this.route.gameId) return;
    this.route = route;
    this.onRoute(route, moved);
  }
}
