// One game's card: made once, then changed in place. Feed data is only ever set as text.

import { barBound, barShapes, chartRange, chartShapes } from "./chart.js";
import { HALFTIME_SECONDS } from "./night.js";
import * as words from "./words.js";

const FRESH_MILLISECONDS = 12_000;
const SHOWN_SIMILAR = 10;

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function setPath(node, path) {
  node.toggleAttribute("hidden", path === null);
  if (path !== null) setAttribute(node, "d", path);
}

function setCentre(node, centre) {
  node.toggleAttribute("hidden", centre === null);
  if (centre === null) return;
  setAttribute(node, "cx", centre[0]);
  if (centre.length > 1) setAttribute(node, "cy", centre[1]);
}

/** A card on the page. `root` is its list item; `update(game)` redraws what changed. */
export class Card {
  constructor(template) {
    this.root = template.content.firstElementChild.cloneNode(true);
    this.parts = {};
    for (const node of this.root.querySelectorAll("[data-part]")) {
      this.parts[node.dataset.part] = node;
    }
    this.parts.details.addEventListener("toggle", () => this.#fillDetails());
  }

  update(game) {
    this.game = game;
    const { parts } = this;
    this.root.dataset.state = game.state;
    setText(parts.title, words.titleOf(game));
    setText(parts.chip, words.CHIPS[game.state] ?? game.state);
    setText(parts.clock, words.clockText(game));
    this.#drawScores(game);
    this.#drawChart(game);
    this.#drawRunning(game);
    const remark = words.remarkOf(game);
    setText(parts.remark, remark);
    parts.remark.hidden = remark === "";
    parts.forecast.hidden = !game.prediction;
    if (game.prediction) {
      this.#drawForecast(game);
      this.#drawBar(game);
      this.#drawAccount(game);
      this.#drawRevision(game);
      this.#fillDetails();
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
    this.root.dataset.leader = game.margin > 0 ? "home" : game.margin < 0 ? "away" : "none";
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

  // Of halftime it speaks until the half, of the final until the game is over.
  #drawRunning(game) {
    const { parts } = this;
    const { forecast } = game;
    parts.running.hidden = !forecast || game.state === "ended";
    if (parts.running.hidden) return;
    setText(parts["running-clock"], words.runningText(forecast));
    const half = game.elapsed < HALFTIME_SECONDS ? forecast.halftime : null;
    parts["half-row"].hidden = !half;
    if (half) {
      setText(parts["half-lead"], words.lead(game, half.point_forecast));
      setText(parts["half-span"], words.span(game, half));
    }
    setText(parts["final-lead"], words.lead(game, forecast.final.point_forecast));
    setText(parts.win, words.winText(game, forecast.final.win_probability));
  }

  #drawForecast(game) {
    const { parts } = this;
    const { prediction } = game;
    setText(parts.frozen, words.frozenText(prediction));
    setText(parts.headline, words.lead(game, prediction.point_forecast));
    const coverage = words.percent(prediction.coverage_probability, 1);
    setText(parts["interval-label"], `${coverage} interval`);
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
    const side = outcome ? (outcome.covered ? "inside" : "outside") : "open";
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

  #drawRevision(game) {
    const { revised } = this.parts;
    const revision = game.prediction.revisions?.at(-1);
    revised.hidden = !revision;
    if (!revision) return;
    setText(revised, words.revisionText(game, revision));
  }

  // Rows are made only when someone opens them: most cards are never opened.
  #fillDetails() {
    const { parts, game } = this;
    const explanation = game.prediction?.explanation;
    parts.details.hidden = !explanation;
    if (!explanation) return;
    const similar = explanation.similar_games.slice(0, SHOWN_SIMILAR);
    const noun = similar.length === 1 ? "similar game" : "similar games";
    setText(parts.summary, `${similar.length} ${noun}`);
    if (!parts.details.open || this.filledFor === game.prediction.made_at) return;
    this.filledFor = game.prediction.made_at;
    parts.similar.replaceChildren(...similar.map(similarRow));
    setText(parts.makeup, words.makeupOf(game));
  }
}

function similarRow(similar) {
  const row = document.createElement("tr");
  const cells = [
    [words.titleOf(similar), ""],
    [words.dayText(similar.date), ""],
    [words.lead(similar, similar.halftime_differential, 0), "number"],
    [similar.distance.toFixed(2), "number"],
  ];
  for (const [text, kind] of cells) {
    const cell = row.appendChild(document.createElement("td"));
    cell.className = kind;
    cell.textContent = text;
  }
  return row;
}
