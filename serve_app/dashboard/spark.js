// A small line of the newest values, as SVG paths.

const WIDTH = 360;
const HEIGHT = 56;
const EDGE = 2;
const LEAST = 36;

/**
 * The line of some values and the area under it; the newest stands at the right edge.
 *
 * A few values fill a part of the box only. Both are null where there are fewer than two.
 */
export function sparkPaths(values) {
  if (values.length < 2) return { line: null, area: null };
  const top = Math.max(...values, 1);
  const step = WIDTH / (Math.max(values.length, LEAST) - 1);
  const start = WIDTH - (values.length - 1) * step;
  const points = values.map((value, index) => {
    const y = HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
    return `${(start + index * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${WIDTH} ${HEIGHT}L${start.toFixed(1)} ${HEIGHT}z` };
}
