// One game: its margin with the fan ahead of it, its chance to win, and the past games it resembles.

import { addForecast, addScore, courseOf, emptyCourse } from "./course.js";
import { usable } from "./dejavu.js";
import { fanOf, finalWidth } from "./fan.js";
import { dejavuFigure, fanFigure, pastFigure, winFigure } from "./game_figures.js";
import * as told from "./game_words.js";
import { END_SECONDS, gameFrom } from "./night.js";
import { element, partsOf, rowsOf, setText } from "./parts.js";
import { Plot } from "./plot.js";
import * as words from "./words.js";

const SETTLE_MILLISECONDS = 1_000;
const RETRY_MILLISECONDS = 10_000;
const SIMILAR_GAMES = 10;

/** The view of the game that was opened last; `draw` shows what has changed since. */
export class GameView {
  constructor(root, { night, fetchJson, isLive, redraw }) {
    this.night = night;
    this.fetchJson = fetchJson;
    this.isLive = isLive;
    this.redraw = redraw;
    this.root = root;
    this.parts = partsOf(root);
    const { parts } = this;
    this.fanPlot = new Plot(parts.fan, { onPoint: (at) => this.#readFan(at) });
    this.winPlot = new Plot(parts["win-plot"], { onPoint: (at) => this.#readWin(at) });
    this.dejavuPlot = new Plot(parts["dejavu-plot"]);
    this.pastPlot = new Plot(parts["past-plot"]);
    parts["past-close"].addEventListener("click", () => this.#pick(null));
    parts.numbers.addEventListener("toggle", () => this.#drawMinutes());
    root.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.picked) this.#pick(null);
    });
    this.#begin(null);
  }

  title = () => (this.game ? words.titleOf(this.game) : "");

  open(id) {
    if (id !== this.id) this.#begin(id);
    this.isOpen = true;
    this.#fetchAll();
    this.dirty = true;
  }

  close() {
    this.isOpen = false;
    clearTimeout(this.again);
  }

  take(message) {
    if (!this.isOpen) return;
    if (message.type === "snapshot" || message.type === "resumed") {
      this.#fetchAll();
      this.dirty = true;
    }
    if (message.game_id !== this.id) return;
    this.dirty = true;
    if (message.type === "score" && !addScore(this.course, message)) this.#fetchSoon();
    if (message.type === "forecast") addForecast(this.course, message.forecast);
    if (message.type === "ended") this.#fetchSoon();
    this.#followMinute();
  }

  // --- what the service is asked ------------------------------------------------------------

  #begin(id) {
    this.id = id;
    this.course = emptyCourse();
    this.seen = null;
    this.unknown = false;
    this.similar = null;
    this.similarMinute = null;
    this.picked = null;
    this.past = null;
  }

  /** The game as the night tells it; one that the night has forgotten, as it was fetched. */
  get game() {
    return this.night.games.get(this.id) ?? this.seen;
  }

  #fetchAll() {
    clearTimeout(this.again);
    this.#fetchCourse();
    this.similarMinute = null;
    this.#followMinute();
  }

  #fetchSoon() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.#fetchAll(), SETTLE_MILLISECONDS);
  }

  async #fetchCourse() {
    const { id } = this;
    const path = `games/${encodeURIComponent(id)}`;
    const asked = (this.askedCourse = {});
    try {
      if (!this.night.games.has(id)) this.seen = gameFrom(await this.fetchJson(path), Date.now());
      const course = courseOf(await this.fetchJson(`${path}/course`));
      if (this.id !== id || this.askedCourse !== asked) return;
      this.course = this.#withNewest(course);
      this.unknown = false;
      this.#followMinute();
    } catch (error) {
      if (this.id !== id) return;
      this.unknown = error.status === 404 && !this.game;
      if (!this.unknown && this.isLive()) {
        this.again = setTimeout(() => this.isOpen && this.#fetchAll(), RETRY_MILLISECONDS);
      }
    }
    this.dirty = true;
    this.redraw();
  }

  // What came by push while the course was fetched may not be in it yet.
  #withNewest(course) {
    const { game } = this;
    if (game?.forecast) addForecast(course, game.forecast);
    if (Number.isFinite(game?.margin)) addScore(course, game);
    return course;
  }

  // Similar games are those of the minute that was completed last.
  #followMinute() {
    const elapsed = this.game?.elapsed ?? 0;
    const minute = Math.min(Math.floor(elapsed / 60), END_SECONDS / 60);
    if (minute < 1 || minute === this.similarMinute) return;
    this.similarMinute = minute;
    this.#fetchSimilar();
  }

  async #fetchSimilar() {
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
    this.dirty = true;
    this.redraw();
  }

  // --- drawing --------------------------------------------------------------------------------

  draw() {
    if (!this.dirty) return false;
    this.dirty = false;
    const { game, parts } = this;
    parts.body.hidden = !game;
    parts.scoreline.hidden = !game;
    parts.absent.hidden = Boolean(game) || !this.unknown;
    if (this.unknown) setText(parts.absent, `This service knows no game ${this.id}.`);
    if (!game) {
      for (const name of ["chip", "clock"]) setText(parts[name], "");
      setText(parts.heading, this.unknown ? "Unknown game" : "Game");
      return false;
    }
    this.#drawHead(game);
    this.#drawFan(game);
    this.#drawRunning(game);
    this.#drawFrozen(game);
    this.#drawWin(game);
    this.#drawDejavu(game);
    this.#drawMinutes();
    return false;
  }

  #drawHead(game) {
    const { parts } = this;
    this.root.dataset.state = game.state;
    this.root.dataset.leader = words.leaderOf(game);
    this.root.toggleAttribute("data-stale", game.stale);
    setText(parts.chip, words.chipOf(game));
    setText(parts.clock, words.clockText(game));
    setText(parts.heading, words.titleOf(game));
    setText(parts.home, game.home_team);
    setText(parts.away, game.away_team);
    setText(parts["home-points"], String(game.score_home ?? "–"));
    setText(parts["away-points"], String(game.score_away ?? "–"));
  }

  #drawFan(game) {
    const { parts, course } = this;
    this.fan = fanOf(game.forecast);
    const width = finalWidth(game.forecast);
    if (width === null) delete parts.fan.dataset.widthFinal;
    else parts.fan.dataset.widthFinal = width.toFixed(2);
    this.fanPlot.show(fanFigure(game, course, this.fan), told.fanLabel(game, game.forecast));
    this.#readFan(this.fanAt ?? null);
  }

  // Without a pointer on the chart the newest moment is read.
  #readFan(at) {
    this.fanAt = at;
    const { game, course } = this;
    if (!game) return;
    const read =
      at === null ? words.standingText(game) : told.fanReadout(game, course, this.fan, at);
    setText(this.parts["fan-readout"], read);
  }

  #readWin(at) {
    const { game, course } = this;
    if (!game) return;
    const read = at === null ? told.winLabel(game, course) : told.winReadout(game, course, at);
    setText(this.parts["win-readout"], read);
  }

  #drawRunning(game) {
    const { parts, course } = this;
    const { forecast } = game;
    const { text, label } = told.winnerOf(game);
    setText(parts.win, text);
    setText(parts["win-label"], label);
    const rows = told.quantileRows(game, forecast, told.halftimeOf(game, course));
    parts.quantiles.replaceChildren(
      ...rowsOf(rows.map((cells) => cells.map((text, index) => [text, index ? "number" : ""]))),
    );
    setText(parts["running-clock"], words.runningText(forecast));
  }

  #drawFrozen(game) {
    const { parts } = this;
    const { prediction } = game;
    setText(parts.remark, words.remarkOf(game));
    parts.remark.hidden = Boolean(prediction);
    parts["frozen-body"].hidden = !prediction;
    if (!prediction) return;
    const { outcome, explanation } = prediction;
    this.root.dataset.interval = words.sideOf(outcome);
    setText(parts["frozen-lead"], words.lead(game, prediction.point_forecast));
    setText(parts["frozen-coverage"], words.intervalName(prediction));
    setText(parts["frozen-span"], words.span(game, prediction));
    setText(parts.outcome, outcome ? words.outcomeText(game, outcome) : "not reached yet");
    parts["error-row"].hidden = !outcome;
    if (outcome) setText(parts.error, words.errorText(outcome));
    setText(parts["frozen-note"], words.frozenText(prediction));
    const revision = prediction.revisions?.at(-1);
    parts.revised.hidden = !revision;
    if (revision) setText(parts.revised, words.revisionText(game, revision));
    parts.made.hidden = !explanation;
    if (explanation) setText(parts.makeup, words.makeupOf(game));
  }

  #drawWin(game) {
    this.winPlot.show(winFigure(game, this.course), told.winLabel(game, this.course));
    this.#readWin(null);
  }

  #drawMinutes() {
    if (!this.parts.numbers.open || !this.game) return;
    const rows = told.minuteRows(this.game, this.course);
    this.parts.minutes.replaceChildren(
      ...rowsOf(rows.map((cells) => cells.map((text, index) => [text, index ? "number" : ""]))),
    );
  }

  // --- déjà vu ----------------------------------------------------------------------------------

  #drawDejavu(game) {
    const { parts, similar, course, picked } = this;
    setText(parts["dejavu-intro"], told.dejavuIntro(game, similar));
    parts["dejavu-body"].hidden = !similar;
    parts.past.hidden = this.past === null;
    if (!similar) return;
    this.dejavuPlot.show(
      dejavuFigure(game, course, similar, picked),
      told.dejavuLabel(game, similar),
    );
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
      if (focused) list.querySelector(`[data-past="${CSS.escape(focused)}"]`)?.focus();
    }
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.past === this.picked));
    }
  }

  #row(past, minute) {
    const said = told.similarRow(past, minute);
    const button = element("button", "past-name", said.name);
    button.type = "button";
    button.dataset.past = past.game_id;
    button.addEventListener("click", () => {
      this.#pick(this.picked === past.game_id ? null : past.game_id);
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
    const before = this.picked;
    this.picked = id;
    this.past = null;
    this.dirty = true;
    this.redraw();
    if (id === null) {
      const button = this.parts["dejavu-rows"].querySelector(`[data-past="${CSS.escape(before)}"]`);
      button?.focus({ preventScroll: true });
      return;
    }
    try {
      const past = await this.fetchJson(`library/${encodeURIComponent(id)}`);
      if (this.picked !== id) return;
      this.past = past;
      this.#showPast(past);
    } catch {
      // Its line stays picked; its own course can be asked for again.
    }
    this.dirty = true;
    this.redraw();
  }

  #showPast(past) {
    const { parts } = this;
    setText(parts["past-title"], words.titleOf(past));
    setText(parts["past-facts"], told.pastFacts(past));
    parts.past.hidden = false;
    this.pastPlot.show(pastFigure(past), told.pastLabel(past));
  }
}
