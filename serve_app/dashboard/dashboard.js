// The page: keeps the link to the live feed, takes its messages in, and draws once per frame.

import { Announcer } from "./announcer.js";
import { KeyLock } from "./key_lock.js";
import { Link } from "./link.js";
import { apply, ASKED_TYPES, emptyNight, forgetOld } from "./night.js";
import { Record } from "./record.js";
import { Reports } from "./reports.js";
import { hrefOf, Router } from "./router.js";
import { Refused, Session } from "./session.js";
import { SilenceWatch } from "./silence.js";
import { TonightView } from "./tonight_view.js";
import { announcement, exampleOf } from "./words.js";

const SILENCE_MILLISECONDS = 45_000; // three heartbeats
const WATCH_MILLISECONDS = 5_000;
const NAME = "Halftime Forecaster";
const byId = (id) => document.getElementById(id);
const viewNode = (name) => document.querySelector(`main > [data-view="${name}"]`);
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

// --- the night and its views ----------------------------------------------------------------

const night = emptyNight();
const reports = new Reports();
const announcer = new Announcer(byId("announcer"));
const session = new Session({ storage: tabStorage(), ask: (...request) => fetch(...request) });
const record = new Record({
  fetchJson: (path) => askService(path),
  mayAsk: () => link.live,
  onChange: () => schedule(),
});
const context = {
  night,
  record,
  reports,
  template: byId("card"),
  fetchJson: (path) => askService(path),
  isLive: () => link.live,
  redraw: () => schedule(),
};

// Views that draw charts come when they are first opened: what a visitor of tonight does not need.
const VIEW_MODULES = {
  game: async () => new (await import("./game_view.js")).GameView(viewNode("game"), context),
  accuracy: async () =>
    new (await import("./accuracy_view.js")).AccuracyView(viewNode("accuracy"), context),
  system: async () => new (await import("./system_view.js")).SystemView(viewNode("system"), context),
};
// As they were before anything was shown in them.
const untouched = new Map(
  Object.keys(VIEW_MODULES).map((name) => [name, viewNode(name).cloneNode(true)]),
);
const tonight = new TonightView(viewNode("tonight"), context);
const views = new Map([["tonight", tonight]]);
const titles = { tonight: "Tonight", game: "Game", accuracy: "Accuracy", system: "System" };
let current = "tonight";
let frame = null;

function schedule() {
  frame ??= requestAnimationFrame(draw);
}

function takeIn(message) {
  const changed = apply(night, message);
  for (const view of views.values()) view.take(message, changed);
  if (message.type === "snapshot" || message.type === "resumed") {
    record.refresh(0);
    fetchModels();
  }
  if (message.type === "system") reports.add(message.system);
  if (message.type === "outcome") record.outcomeCame();
  while (night.predicted.length > 0) {
    announcer.say(announcement(night.games.get(night.predicted.shift())));
  }
  schedule();
}

function draw() {
  frame = null;
  const more = views.get(current)?.draw();
  showTitle();
  if (more) schedule();
}

// --- from view to view ----------------------------------------------------------------------

const scrolled = new Map();

async function show({ view, gameId }, moved) {
  if (moved) scrolled.set(current, scrollY);
  current = view;
  for (const node of document.querySelectorAll("main > [data-view]")) {
    node.hidden = node.dataset.view !== view;
  }
  markPlace(view, gameId);
  for (const [name, other] of views) if (name !== view) other.close();
  if (moved && !keyLock.isShown) {
    viewNode(view).querySelector('[data-part="heading"]').focus({ preventScroll: true });
    // Whoever looked at one game finds the others where they were.
    scrollTo(0, view === "tonight" ? (scrolled.get(view) ?? 0) : 0);
  }
  showTitle();
  await openView(view, gameId);
}

async function openView(view, gameId) {
  try {
    if (!views.has(view)) views.set(view, await VIEW_MODULES[view]());
  } catch (error) {
    // The service may be away just now; it is tried again with the next connection.
    console.warn(`the view ${view} could not be loaded`, error);
    return;
  }
  if (current !== view || keyLock.isShown) return;
  views.get(view).open(gameId);
  schedule();
}

function markPlace(view, gameId) {
  for (const anchor of byId("views").children) {
    if (anchor.dataset.nav === view) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  if (view !== "game") return;
  const anchor = byId("views").querySelector('[data-nav="game"]');
  anchor.hidden = false;
  anchor.href = hrefOf("game", gameId);
  anchor.textContent = "Game";
}

// A link that is down is told first; then what is looked at.
function showTitle() {
  const view = views.get(current);
  const place = view?.title() || titles[current];
  const anchor = byId("views").querySelector('[data-nav="game"]');
  if (current === "game" && anchor.textContent !== place) anchor.textContent = place;
  const { state } = byId("link").dataset;
  const told = { lost: "Reconnecting – ", locked: "Key needed – " }[state] ?? "";
  const title = `${told}${place} – ${NAME}`;
  if (document.title !== title) document.title = title;
}

// --- the link's state, silent feeds and the model -------------------------------------------

function showLink(state) {
  const node = byId("link");
  node.dataset.state = state;
  document.documentElement.dataset.link = state;
  const known = night.time ? `, as of ${timeOfDay.format(new Date(night.time))}` : "";
  byId("link-text").textContent =
    { live: "Live", locked: "Key needed", connecting: "Connecting" }[state] ??
    `Reconnecting${known}`;
  if (state === "live" && !views.has(current)) openView(current, router.route.gameId);
  if (state === "lost" && !session.key) lockWhereRefused();
  watchFeeds();
  schedule();
}

const silence = new SilenceWatch({
  ask: async (id) => {
    try {
      const { feed_lag_seconds: lag } = await askService(`games/${encodeURIComponent(id)}`);
      tonight.changed([id]);
      schedule();
      return lag;
    } catch {
      return null;
    }
  },
});

function watchFeeds() {
  const now = Date.now();
  const changed = silence.check(night.games, now, link.live);
  const gone = link.live ? forgetOld(night, now) : [];
  if (changed.length + gone.length === 0) return;
  tonight.changed(changed);
  schedule();
}

async function fetchModels() {
  try {
    const { model_version: version } = await askService("models");
    byId("model").textContent = `Model ${version}`;
    byId("model").hidden = !version;
  } catch {
    byId("model").hidden = true;
  }
}

// --- the key, where the service asks for one ------------------------------------------------

// Where the browser forbids the page its storage, even asking for it throws.
function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

async function askService(path) {
  try {
    return await session.fetchJson(path);
  } catch (error) {
    lockOn(error);
    throw error;
  }
}

function lock(reason) {
  link.rest();
  session.forget();
  forgetAll();
  showLink("locked");
  keyLock.ask(reason);
}

// What was shown to the holder of a key is not left to who comes after.
function forgetAll() {
  apply(night, { type: "snapshot", seq: 0, time: null, games: [] });
  record.forget();
  reports.forget();
  for (const [name, node] of untouched) {
    views.get(name)?.close();
    views.delete(name);
    const fresh = node.cloneNode(true);
    fresh.hidden = name !== current;
    viewNode(name).replaceWith(fresh);
  }
  tonight.forget();
  tonight.draw();
  const anchor = byId("views").querySelector('[data-nav="game"]');
  anchor.hidden = current !== "game";
  anchor.textContent = titles.game;
  for (const id of ["model", "announcer"]) byId(id).textContent = "";
  byId("model").hidden = true;
}

function lockOn(error) {
  if (error instanceof Refused && !keyLock.isShown) lock(session.key ? error.message : "");
}

async function lockWhereRefused() {
  try {
    await session.fetchJson("models");
  } catch (error) {
    if (error instanceof Refused) lock("");
  }
}

function unlocked() {
  showExample();
  showLink("connecting");
  link.open();
  openView(current, router.route.gameId);
  viewNode(current).querySelector('[data-part="heading"]').focus();
}

function showExample() {
  tonight.showExample(exampleOf(new URL(".", document.baseURI).href, Boolean(session.key)));
}

// --- begin ----------------------------------------------------------------------------------

const address = new URL("ws/live", document.baseURI);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
for (const type of ASKED_TYPES) address.searchParams.append("type", type);
const link = new Link(address, {
  onMessage: takeIn,
  onState: showLink,
  protocols: () => {
    const offered = session.protocols();
    if (!Array.isArray(offered)) offered.catch(lockOn);
    return offered;
  },
});
const keyLock = new KeyLock({ session, onOpen: unlocked, onForget: () => lock("") });
const router = new Router({ place: location, onRoute: show });

byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
showExample();
history.scrollRestoration = "manual";
router.start();
link.open();
setInterval(() => link.check(SILENCE_MILLISECONDS), SILENCE_MILLISECONDS / 4);
setInterval(watchFeeds, WATCH_MILLISECONDS);
addEventListener("online", () => link.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  link.hurry();
  link.check(SILENCE_MILLISECONDS / 2);
});
