// The page: keeps the link to the live feed, takes its messages in, and draws once per frame.

import { Card } from "./card.js";
import { Link } from "./link.js";
import { apply, arrange, counts, emptyNight, standing } from "./night.js";
import { looksLikeKey, Refused, Session } from "./session.js";
import { announcement, percent } from "./words.js";

const SILENCE_MILLISECONDS = 45_000; // three heartbeats
const DRAWING_MILLISECONDS = 8;
const ACCURACY_MILLISECONDS = 1_500;
const ACCURACY_RETRY_MILLISECONDS = 15_000;
const FIRST_WORD_MILLISECONDS = 500;
const ANNOUNCE_MILLISECONDS = 4_000;
const CROWD = 60;
const TITLE = document.title;
const byId = (id) => document.getElementById(id);
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

// --- the night on the page ------------------------------------------------------------------

const night = emptyNight();
const cards = new Map();
const dirty = new Set();
const standings = new Map();
const template = byId("card");
const sections = new Map(
  [...document.querySelectorAll(".phase")].map((node) => [node.dataset.phase, node]),
);
let arranged = true;
let frame = null;

function schedule() {
  frame ??= requestAnimationFrame(draw);
}

function takeIn(message) {
  for (const id of apply(night, message)) {
    dirty.add(id);
    const game = night.games.get(id);
    if (standings.get(id) !== standing(game)) {
      standings.set(id, standing(game));
      arranged = false;
    }
  }
  if (message.type === "snapshot" || message.type === "resumed") {
    arranged = false;
    refreshAccuracy(0);
    fetchModels();
  }
  if (message.type === "outcome") refreshAccuracy(ACCURACY_MILLISECONDS);
  schedule();
}

// A frame draws for a few milliseconds at most; what is left waits for the next one.
function draw() {
  frame = null;
  const end = performance.now() + DRAWING_MILLISECONDS;
  let drew = 0;
  if (!arranged) forgetGone();
  for (const id of dirty) {
    if (drew > 0 && performance.now() > end) break;
    dirty.delete(id);
    drawCard(id);
    drew += 1;
  }
  if (!arranged) place();
  drawCounts();
  announceNew();
  if (dirty.size > 0) schedule();
}

function drawCard(id) {
  const game = night.games.get(id);
  if (!game) return;
  if (!cards.has(id)) {
    cards.set(id, new Card(template));
    arranged = false;
  }
  cards.get(id).update(game);
}

function forgetGone() {
  for (const [id, card] of cards) {
    if (night.games.has(id)) continue;
    card.root.remove();
    cards.delete(id);
    standings.delete(id);
  }
}

// Cards stand in the order of the night. Moving one keeps the keyboard's place in it.
function place() {
  const focused = document.activeElement;
  for (const [phase, games] of arrange(night)) {
    const section = sections.get(phase);
    const list = section.querySelector(".cards");
    let next = list.firstElementChild;
    for (const { game_id: id } of games) {
      const root = cards.get(id)?.root;
      if (!root) continue;
      if (root === next) next = next.nextElementSibling;
      else list.insertBefore(root, next);
    }
    section.hidden = games.length === 0;
    section.querySelector(".count").textContent = games.length;
  }
  if (focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
  arranged = dirty.size === 0;
}

function drawCounts() {
  const { games, predicted, resolved } = counts(night);
  byId("count-games").textContent = games;
  byId("count-predicted").textContent = predicted;
  byId("count-resolved").textContent = resolved;
  byId("empty").hidden = games > 0 || !link.live;
  byId("games").classList.toggle("crowded", games > CROWD);
}

// --- new forecasts, spoken ------------------------------------------------------------------

const unsaid = [];
let speaking = null;

function announceNew() {
  while (night.predicted.length > 0 && cards.has(night.predicted[0])) {
    const id = night.predicted.shift();
    cards.get(id).celebrate();
    unsaid.push(announcement(night.games.get(id)));
  }
  if (unsaid.length > 0) speaking ??= setTimeout(speak, FIRST_WORD_MILLISECONDS);
}

function speak() {
  const latest = unsaid.at(-1);
  byId("announcer").textContent =
    unsaid.length === 1 ? latest : `${unsaid.length} new forecasts. The latest: ${latest}`;
  unsaid.length = 0;
  speaking = setTimeout(() => {
    speaking = null;
    announceNew();
  }, ANNOUNCE_MILLISECONDS);
}

// --- the link's state, the model and the record ---------------------------------------------

function showLink(state) {
  const node = byId("link");
  node.dataset.state = state;
  document.documentElement.dataset.link = state;
  const known = night.time ? `, as of ${timeOfDay.format(new Date(night.time))}` : "";
  const words = { live: "Live", locked: "Key needed" }[state] ?? `Reconnecting${known}`;
  byId("link-text").textContent = words;
  document.title = state === "live" ? TITLE : `${words.split(",")[0]} – ${TITLE}`;
  if (state === "lost" && !session.key) lockWhereRefused();
}

async function fetchModels() {
  try {
    const { model_version: version } = await session.fetchJson("models");
    byId("model").textContent = `Model ${version}`;
    byId("model").hidden = !version;
  } catch {
    byId("model").hidden = true;
  }
}

let asking = null;

function refreshAccuracy(pause) {
  asking ??= setTimeout(async () => {
    let again = null;
    try {
      showAccuracy(await session.fetchJson("accuracy"));
    } catch {
      again = ACCURACY_RETRY_MILLISECONDS;
    }
    asking = null;
    if (again !== null && link.live) refreshAccuracy(again);
  }, pause);
}

function showAccuracy({ resolved, coverage_target: target, ensemble, persistence }) {
  if (!ensemble || !persistence) return;
  byId("mae").textContent = ensemble.mae.toFixed(2);
  byId("persistence").textContent = persistence.mae.toFixed(2);
  byId("coverage").textContent = percent(ensemble.coverage, 1);
  const gain = (ensemble.mae - persistence.mae) / persistence.mae;
  const word = gain <= 0 ? "under" : "over";
  byId("mae-note").textContent = `${percent(Math.abs(gain), 1)} ${word} persistence`;
  byId("persistence-note").textContent = `over ${resolved} ${resolved === 1 ? "game" : "games"}`;
  byId("coverage-note").textContent = target ? `target ${percent(target, 1)}` : "of the intervals";
}

function showExample() {
  const here = new URL(".", document.baseURI).href;
  const key = session.key ? `  -H "authorization: Bearer $HALFTIME_API_KEY" \\\n` : "";
  const json = `${key}  -H 'content-type: application/json' \\`;
  byId("example").textContent = [
    `curl ${here}games \\`,
    json,
    `  -d '{"game_id": "my-first-game", "home_team": "DEN", "away_team": "DAL"}'`,
    "",
    `curl ${here}games/my-first-game/scores \\`,
    json,
    `  -d '{"quarter": 1, "time_remaining": "11:38", "score_home": 2, "score_away": 0}'`,
  ].join("\n");
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

const session = new Session({ storage: tabStorage(), ask: (...request) => fetch(...request) });

function lock(reason) {
  link.rest();
  session.forget();
  // What was shown to the holder of a key is not left to who comes after.
  apply(night, { type: "snapshot", seq: 0, time: null, games: [] });
  arranged = false;
  showLink("locked");
  byId("lock").hidden = false;
  byId("forget").hidden = true;
  byId("model").hidden = true;
  for (const figure of ["mae", "persistence", "coverage"]) byId(figure).textContent = "–";
  tellLock(reason);
  byId("key").focus();
  schedule();
}

function lockOn(error) {
  if (error instanceof Refused) lock(error.message);
}

async function lockWhereRefused() {
  try {
    await session.fetchJson("models");
  } catch (error) {
    if (error instanceof Refused) lock("");
  }
}

function tellLock(reason) {
  byId("lock-reason").textContent = reason;
  byId("key").toggleAttribute("aria-invalid", reason !== "");
}

async function unlock(event) {
  event.preventDefault();
  const key = byId("key").value.trim();
  if (!looksLikeKey(key)) {
    tellLock("This is no API key: one begins with htf and is 59 characters long.");
    return;
  }
  session.keep(key);
  try {
    await session.fetchJson("models");
  } catch (error) {
    session.forget();
    const away = "The service does not answer now. Try again in a moment.";
    tellLock(error instanceof Refused ? error.message : away);
    return;
  }
  byId("key").value = "";
  tellLock("");
  byId("lock").hidden = true;
  byId("forget").hidden = false;
  showExample();
  link.open();
  byId("games").focus();
}

const address = new URL("ws/live", document.baseURI);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
const link = new Link(address, {
  onMessage: takeIn,
  onState: showLink,
  protocols: () => {
    const offered = session.protocols();
    if (!Array.isArray(offered)) offered.catch(lockOn);
    return offered;
  },
});

byId("lock").addEventListener("submit", unlock);
byId("forget").addEventListener("click", () => lock(""));
byId("forget").hidden = !session.key;
showExample();
link.open();
setInterval(() => link.check(SILENCE_MILLISECONDS), SILENCE_MILLISECONDS / 4);
window.addEventListener("online", () => link.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  link.hurry();
  link.check(SILENCE_MILLISECONDS / 2);
});
