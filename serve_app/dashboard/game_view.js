// One game: its margin with the fan ahead of it, its chance to win, and the past games it resembles.

import { addForecast, addScore, courseOf, emptyCourse } from "./course.js";
import { DejavuView } from "./dejavu_view.js";
import { fanOf } from "./fan.js";
import { fanFigure, winFigure } from "./game_figures.js";
import * as told from "./game_words.js";
import { gameFrom } from "./night.js";
import { partsOf, rowsOf, setText } from "./parts.js";
import { Plot } from "./plot.js";
import * as words from "./words.js";

const UNKNOWN = "Unknown game";
const SETTLE_MILLISECONDS = 1_000;
const RETRY_MILLISECONDS = 10_000;

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
    const changed = () => {
      this.dirty = true;
      redraw();
    };
    this.dejavu = new DejavuView(parts, { fetchJson, changed });
    parts.numbers.addEventListener("toggle", () => this.#drawMinutes());
    root.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.dejavu.leave();
    });
    this.#begin(null);
  }

  title = () => (this.game ? words.titleOf(this.game) : this.unknown ? UNKNOWN : "");

  open(id) {
    if (id !== this.id) this.#begin(id);
    this.isOpen = true;
    this.#fetchAll();
    this.dirty = true;
  }

  close() {
    this.isOpen = false;
    clearTimeout(this.again);
    this.dejavu.close();
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
    this.dejavu.follow(this.game?.elapsed);
  }

  // --- what the service is asked ------------------------------------------------------------

  #begin(id) {
    this.id = id;
    this.course = emptyCourse();
    this.seen = null;
    this.unknown = false;
    this.dejavu.begin(id);
  }

  /** The game as the night tells it; one that the night has forgotten, as it was fetched. */
  get game() {
    return this.night.games.get(this.id) ?? this.seen;
  }

  #fetchAll() {
    clearTimeout(this.again);
    this.#fetchCourse();
    this.dejavu.renew();
    this.dejavu.follow(this.game?.elapsed);
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
      const seen = this.night.games.has(id) ? null : await this.fetchJson(path);
      const course = courseOf(await this.fetchJson(`${path}/course`));
      if (this.askedCourse !== asked) return;
      this.seen = seen && gameFrom(seen, Date.now());
      this.course = this.#withNewest(course);
      this.unknown = false;
      if (this.isOpen) this.dejavu.follow(this.game?.elapsed);
    } catch (error) {
      if (this.askedCourse !== asked) return;
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
      setText(parts.heading, this.unknown ? UNKNOWN : "Game");
      return false;
    }
    this.#drawHead(game);
    this.#drawFan(game);
    this.#drawRunning(game);
    this.#drawFrozen(game);
    this.#drawWin(game);
    this.dejavu.draw(game, this.course);
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
    const { course } = this;
    this.fan = fanOf(game.forecast);
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
    setText(parts.error, outcome ? words.errorText(outcome) : "–");
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
}
