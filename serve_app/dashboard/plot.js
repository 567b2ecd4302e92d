// Draws figures on a canvas, with uPlot; whoever does not see them reads the label and the tables.

import { widthAtEnd } from "./figure.js";
import uPlot from "./uplot.js";

const FONT = "12px Inter, system-ui, 'Segoe UI', Roboto, sans-serif";
const SIZES = { dot: 3.5, ring: 4, diamond: 6, whisker: 5 };
const CURSOR = {
  y: false,
  points: { show: false },
  drag: { x: false, y: false, setScale: false },
};
const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
  matchMedia(query),
);

await styleSheet("assets/uplot.css");

// A chart without its style sheet is better than none.
function styleSheet(address) {
  const node = document.createElement("link");
  node.rel = "stylesheet";
  node.href = address;
  const loaded = new Promise((done) => {
    node.addEventListener("load", done);
    node.addEventListener("error", done);
  });
  document.head.append(node);
  return loaded;
}

/**
 * A chart in an element whose size the style sheet gives. `onPoint` gets where the pointer is.
 *
 * With each painting the element gets `data-band-width`, or loses it: see `widthAtEnd`.
 */
export class Plot {
  constructor(host, { onPoint = () => {} } = {}) {
    this.host = host;
    this.onPoint = onPoint;
    this.chart = null;
    this.figure = null;
    new ResizeObserver(() => this.#fit()).observe(host);
    for (const scheme of schemes) scheme.addEventListener("change", () => this.#build());
  }

  /** Show a figure; `label` says it in words. */
  show(figure, label) {
    this.figure = figure;
    this.host.setAttribute("aria-label", label);
    // Ticks are kept by the chart for as long as its scales stay what they are.
    const styles = figure.lines.map(({ points, ...style }) => style);
    const look = JSON.stringify([styles, figure.x.ticks, figure.y.ticks]);
    if (this.chart && look === this.look) this.chart.setData(aligned(figure.lines));
    else this.#build();
    this.look = look;
  }

  #fit() {
    const size = { width: this.host.clientWidth, height: this.host.clientHeight };
    if (size.width === 0) return;
    if (!this.chart) this.#build();
    else if (size.width !== this.chart.width || size.height !== this.chart.height) {
      this.chart.setSize(size);
    }
  }

  #build() {
    const { host, figure } = this;
    if (!figure || host.clientWidth === 0) return;
    this.chart?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.chart = new uPlot(this.#options(colour), aligned(figure.lines), host);
  }

  // Scales and ticks are read anew at each drawing, so that new data can have new ones.
  #options(colour) {
    const scale = (name) => ({
      time: false,
      range: () => [this.figure[name].min, this.figure[name].max],
    });
    const axis = (name) => ({
      scale: name,
      stroke: colour("soft"),
      font: FONT,
      ticks: { show: false },
      gap: 6,
      splits: () => this.figure[name].ticks.map(([value]) => value),
      values: () => this.figure[name].ticks.map(([, text]) => text),
    });
    return {
      width: this.host.clientWidth,
      height: this.host.clientHeight,
      padding: [10, 22, 0, 0],
      legend: { show: false },
      cursor: CURSOR,
      scales: { x: scale("x"), y: scale("y") },
      axes: [
        { ...axis("x"), size: 26, grid: { show: false } },
        { ...axis("y"), size: labelRoom, grid: { stroke: colour("line"), width: 1 } },
      ],
      series: [{}, ...this.figure.lines.map((line) => seriesOf(line, colour))],
      hooks: {
        drawAxes: [(chart) => this.#paintBehind(chart, colour)],
        draw: [(chart) => this.#paintMarks(chart, colour)],
        setCursor: [(chart) => this.#point(chart)],
      },
    };
  }

  #point({ cursor, posToVal }) {
    this.onPoint(cursor.left >= 0 ? posToVal(cursor.left, "x") : null);
  }

  #paintBehind(chart, colour) {
    const pen = penOf(chart);
    for (const { points, colour: name } of this.figure.bands) pen.band(points, colour(name));
    for (const guide of this.figure.guides) pen.guide(guide, colour(guide.colour));
    pen.end();
    this.#tellWidth();
  }

  // A canvas does not say what is on it: the width of the widest band is told beside it, for tests.
  #tellWidth() {
    const width = widthAtEnd(this.figure);
    if (width === null) delete this.host.dataset.bandWidth;
    else this.host.dataset.bandWidth = width.toFixed(2);
  }

  #paintMarks(chart, colour) {
    const pen = penOf(chart);
    for (const mark of this.figure.marks) pen.mark(mark, colour(mark.colour), colour("card"));
    pen.end();
  }
}

/** The points of all lines in columns of one x, as uPlot takes them. */
function aligned(lines) {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))];
  xs.sort((first, second) => first - second);
  const columns = lines.map(({ points }) => {
    const known = new Map(points);
    return xs.map((x) => known.get(x) ?? null);
  });
  return [xs, ...columns];
}

function seriesOf({ colour: name, width, dash, stepped }, colour) {
  return {
    stroke: colour(name),
    width,
    dash,
    spanGaps: true,
    points: { show: false },
    paths: stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
  };
}

function labelRoom(chart, texts) {
  chart.ctx.save();
  chart.ctx.font = FONT;
  const widest = Math.max(0, ...(texts ?? []).map((text) => chart.ctx.measureText(text).width));
  chart.ctx.restore();
  return Math.ceil(widest) + 12;
}

// What uPlot has no series for, in the chart's own coordinates and inside its area.
function penOf(chart) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const place = (x, y) => [chart.valToPos(x, "x", true), chart.valToPos(y, "y", true)];
  ctx.save();
  return {
    band(points, colour) {
      ctx.beginPath();
      for (const [x, , high] of points) ctx.lineTo(...place(x, high));
      for (const [x, low] of points.toReversed()) ctx.lineTo(...place(x, low));
      ctx.closePath();
      ctx.fillStyle = colour;
      ctx.fill();
    },

    guide({ x, y, dash = [] }, colour) {
      ctx.beginPath();
      if (x === undefined) {
        const at = Math.round(chart.valToPos(y, "y", true));
        ctx.moveTo(bbox.left, at);
        ctx.lineTo(bbox.left + bbox.width, at);
      } else {
        const at = Math.round(chart.valToPos(x, "x", true));
        ctx.moveTo(at, bbox.top);
        ctx.lineTo(at, bbox.top + bbox.height);
      }
      ctx.setLineDash(dash.map((length) => length * ratio));
      ctx.lineWidth = ratio;
      ctx.strokeStyle = colour;
      ctx.stroke();
    },

    mark({ shape, at, low, high }, colour, ground) {
      const [x, y] = place(...at);
      const size = SIZES[shape] * ratio;
      ctx.setLineDash([]);
      ctx.beginPath();
      if (shape === "diamond") {
        ctx.moveTo(x, y - size);
        ctx.lineTo(x + size, y);
        ctx.lineTo(x, y + size);
        ctx.lineTo(x - size, y);
        ctx.closePath();
      } else if (shape === "whisker") {
        const [top, bottom] = [place(at[0], high)[1], place(at[0], low)[1]];
        for (const end of [top, bottom]) {
          ctx.moveTo(x - size, end);
          ctx.lineTo(x + size, end);
        }
        ctx.moveTo(x, top);
        ctx.lineTo(x, bottom);
      } else {
        ctx.arc(x, y, size, 0, 2 * Math.PI);
      }
      ctx.lineWidth = 2 * ratio;
      ctx.strokeStyle = shape === "diamond" ? ground : colour;
      ctx.fillStyle = shape === "ring" ? ground : colour;
      if (shape !== "whisker") ctx.fill();
      if (shape !== "dot") ctx.stroke();
    },

    end: () => ctx.restore(),
  };
}
