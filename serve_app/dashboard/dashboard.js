// The page: keeps the link to the live feed, takes its messages in, and draws once per frame.

import { Announcer } from "./announcer.js";
import { KeyLock } from "./key_lock.js";
import { Link } from "./link.js";
import { apply, ASKED_TYPES, emptyNight, forgetOld, longOver } from "./night.js";
import { Record } from "./record.js";
import { Reports } from "./reports.js";
import { Router } from "./router.js";
import { Refused, Session } from "./session.js";
import { SilenceWatch } from "./silence.js";
import { Stage } from "./stage.js";
import { TonightView } from "./tonight_view.js";
import { announcement, exampleOf } from "./words.js";

const SILENCE_MILLISECONDS = 45_000; // three heartbeats
const WATCH_MILLISECONDS = 5_000;
const NAME = "Halftime Forecaster";
const byId = (id) => document.getElementById(id);
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

const tonight = new TonightView(document.querySelector('[data-view="tonight"]'), context);
const stage = new Stage({
  views: new Map([["tonight", tonight]]),
  // What draws charts comes when it is first opened: a visitor of tonight does not need it.
  makers: {
    game: async (node) => new (await import("./game_view.js")).GameView(node, context),
    accuracy: async (node) => new (await import("./accuracy_view.js")).AccuracyView(node, context),
    system: async (node) => new (await import("./system_view.js")).SystemView(node, context),
  },
  isLocked: () => keyLock.isShown,
  redraw: schedule,
});
let frame = null;

function schedule() {
  frame ??= requestAnimationFrame(draw);
}

function takeIn(message) {
  const changed = apply(night, message);
  stage.take(message, changed);
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
  const more = stage.draw();
  showTitle();
  if (more) schedule();
}

// A link that is down is told first; then what is looked at.
function showTitle() {
  const { state } = byId("link").dataset;
  const told = { lost: "Reconnecting – ", locked: "Key needed – " }[state] ?? "";
  const title = `${told}${stage.place} – ${NAME}`;
  if (document.title !== title) document.title = title;
}

// --- the link's state, what time brings, and the model ---------------------------------------

function showLink(state) {
  const node = byId("link");
  node.dataset.state = state;
  document.documentElement.dataset.link = state;
  const known = night.time ? `, as of ${timeOfDay.format(new Date(night.time))}` : "";
  byId("link-text").textContent =
    { live: "Live", locked: "Key needed", connecting: "Connecting" }[state] ??
    `Reconnecting${known}`;
  if (state === "live") stage.openMissing();
  if (state === "lost" && !session.key) lockWhereRefused();
  watch();
}

const silence = new SilenceWatch({
  ask: async (id) => {
    try {
      return (await askService(`games/${encodeURIComponent(id)}`)).feed_lag_seconds;
    } catch {
      return null;
    }
  },
  onChange: (id) => {
    stage.take({ type: "silence", game_id: id }, [id]);
    schedule();
  },
});

// What comes with time alone, without a message.
function watch() {
  const now = Date.now();
  silence.check(night, now, link.live);
  if (link.live && forgetOld(night, now).length > 0) tonight.gamesLeft();
  tonight.settle(longOver(night, now));
  schedule();
}

// The newest question alone is answered: one that was asked with a key before it is not.
let askedModels = null;

async function fetchModels() {
  const asked = (askedModels = {});
  let version = null;
  try {
    ({ model_version: version } = await askService("models"));
  } catch {
    // It is asked again with the next connection.
  }
  if (askedModels === asked) showModel(version);
}

function showModel(version) {
  byId("model").textContent = version ? `Model ${version}` : "";
  byId("model").hidden = !version;
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
  apply(night, { type: "snapshot", time: null, games: [] });
  record.forget();
  reports.forget();
  stage.forget();
  tonight.forget();
  tonight.draw();
  announcer.forget();
  askedModels = null;
  showModel(null);
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
  stage.open();
  stage.focus();
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
const router = new Router({
  place: location,
  onRoute: (route, moved) => stage.show(route, moved),
});

byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
showExample();
history.scrollRestoration = "manual";
router.start();
link.open();
setInterval(() => link.check(SILENCE_MILLISECONDS), SILENCE_MILLISECONDS / 4);
setInterval(watch, WATCH_MILLISECONDS);
addEventListener("online", () => link.hurry());
document.addEventListener("visibilitychange", () => {
  // Now nobody sees the cards move.
  tonight.settle();
  schedule();
  if (document.hidden) return;
  link.hurry();
  link.check(SILENCE_MILLISECONDS / 2);
});
