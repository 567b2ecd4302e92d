// One game's card: made once, then changed in place. Its height does not depend on what is known.

import { barBound, barShapes, chartRange, chartShapes } from "./chart.js";
import { HALFTIME_SECONDS, phaseOf } from "./night.js";
import { partsOf, setAttribute, setCentre, setPath, setText } from "./parts.js";
import { hrefOf } from "./router.js";
import * as words from "./words.js";

const FRESH_MILLISECONDS = 12_000;

/** A card on the page. `root` is its list item; `update(game)` redraws what changed. */
export class Card {
  constructor(template) {
    this.root = template.content.firstElementChild.cloneNode(true);
    this.parts = partsOf(this.root);
  }

  update(game) {
    const { parts } = this;
    this.root.dataset.state = game.state;
    this.root.dataset.game = game.game_id;
    this.root.toggleAttribute("data-stale", game.stale);
    setText(parts.title, words.titleOf(game));
    setAttribute(parts.link, "href", hrefOf("game", game.game_id));
    setText(parts.chip, words.chipOf(game));
    setText(parts.clock, words.clockText(game));
    this.#drawScores(game);
    this.#drawChart(game);
    this.#drawRunning(game);
    setText(parts.remark, words.remarkOf(game));
    parts.remark.hidden = Boolean(game.prediction);
    parts["frozen-body"].classList.toggle("unseen", !game.prediction);
    if (game.prediction) {
      this.#drawForecast(game);
      this.#drawBar(game);
      this.#drawAccount(game);
    }
  }

  /** Mark the card for a while as having just got its forecast. */
  celebrate() {
    this.root.classList.add("fresh");
    setTimeout(() => this.root.classList.remove("fresh"), FRESH_MILLISECONDS);
  }

  #drawScores(game) {
    const { parts } = this;
    setText(parts.home, game.home_team);
    setText(parts.away, game.away_team);
    setText(parts["home-points"], String(game.score_home ?? "–"));
    setText(parts["away-points"], String(game.score_away ?? "–"));
    this.root.dataset.leader = words.leaderOf(game);
  }

  #drawChart(game) {
    const { parts } = this;
    const range = chartRange(game);
    const shapes = chartShapes(game, range);
    setAttribute(parts.zero, "y1", shapes.zero);
    setAttribute(parts.zero, "y2", shapes.zero);
    setText(parts["home-bound"], `${words.shortCode(game.home_team)} +${range.high}`);
    setText(parts["away-bound"], `${words.shortCode(game.away_team)} +${-range.low}`);
    setPath(parts["home-area"], shapes.home);
    setPath(parts["away-area"], shapes.away);
    setPath(parts.trail, shapes.seen);
    setPath(parts.gap, shapes.gap);
    setCentre(parts.now, shapes.now);
    setPath(parts.actual, shapes.actual);
    parts["forecast-mark"].toggleAttribute("hidden", shapes.forecast === null);
    if (shapes.forecast) {
      setPath(parts.toward, shapes.forecast.toward);
      setPath(parts.whisker, shapes.forecast.whisker);
      setCentre(parts.point, shapes.forecast.point);
    }
    setAttribute(parts.chart, "aria-label", words.chartLabel(game));
  }

  // Of halftime it speaks until the half, of the final until the end; then of what came of them.
  #drawRunning(game) {
    const { parts } = this;
    parts.running.hidden = game.elapsed === null;
    if (parts.running.hidden) return;
    const isOver = phaseOf(game) === "settled";
    const forecast = isOver ? null : game.forecast;
    const short = words.shortened(game);
    setText(parts["running-clock"], isOver ? "How it ended" : words.runningText(forecast));
    setText(parts.win, isOver ? words.wonText(short, game) : words.chanceText(short, forecast));
    const half = game.elapsed < HALFTIME_SECONDS ? forecast?.halftime : null;
    const outcome = game.prediction?.outcome;
    setText(parts["half-lead"], words.rowLead(short, half, outcome?.halftime_margin));
    setText(parts["half-span"], half ? words.span(short, half) : "");
    setText(parts["final-lead"], words.rowLead(short, forecast?.final, isOver ? game.margin : null));
    setText(parts["final-span"], forecast ? words.span(short, forecast.final) : "");
  }

  #drawForecast(game) {
    const { parts } = this;
    const { prediction } = game;
    setText(parts.frozen, words.frozenText(prediction));
    setText(parts.headline, words.lead(game, prediction.point_forecast));
    setText(parts["interval-label"], words.intervalName(prediction));
    setText(parts.interval, words.span(game, prediction));
  }

  #drawBar(game) {
    const { parts } = this;
    const bound = barBound(game);
    const shapes = barShapes(game, bound);
    setText(parts["bar-away"], `${words.shortCode(game.away_team)} +${bound}`);
    setText(parts["bar-home"], `${words.shortCode(game.home_team)} +${bound}`);
    setAttribute(parts.band, "x", shapes.low);
    setAttribute(parts.band, "width", shapes.width);
    setAttribute(parts.tick, "x1", shapes.point);
    setAttribute(parts.tick, "x2", shapes.point);
    setCentre(parts["bar-now"], shapes.now === null ? null : [shapes.now]);
    setPath(parts["bar-actual"], shapes.actual);
    setAttribute(parts.bar, "aria-label", words.barLabel(game));
  }

  #drawAccount(game) {
    const { parts } = this;
    const { outcome } = game.prediction;
    const known = outcome ? outcome.halftime_margin : game.margin;
    const side = words.sideOf(outcome);
    this.root.dataset.interval = side;
    setText(parts["against-label"], outcome ? `Halftime, ${side}` : "Margin now");
    setText(parts.against, Number.isFinite(known) ? words.lead(game, known, 0) : "–");
    parts["error-cell"].hidden = !outcome;
    parts["persistence-cell"].hidden = !outcome;
    if (!outcome) return;
    setText(parts.error, words.plain(outcome.error));
    setText(parts.persistence, words.plain(outcome.persistence_error));
    const gain = Math.abs(outcome.persistence_error) - Math.abs(outcome.error);
    parts.error.classList.toggle("closer", gain > 0);
    parts.persistence.classList.toggle("closer", gain < 0);
  }
}
