// A small line chart over time, drawn as SVG: two grid lines, an area, the line, and what was under the pointer.

import { setAttribute, setText, svg } from "./dom.js";

/** In CSS pixels, as the width: text and lines keep their size whatever the page's. */
const HEIGHT = 140;
const WIDTH_MIN = 200;
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 6, 8, 22];
/** The time axis is at least this long, so that the first seconds do not look like hours. */
const SPAN_MILLIS_MIN = 60_000;

export class Chart {
  #points = [];
  #scale = null;
  #width = 480;

  /** `scale(values)` answers `{low, high}`, `read(value)` a value in words (`readAxis` at the axis), `name` what is shown. */
  constructor(parent, { name, scale, read, readAxis = read, kind }) {
    Object.assign(this, { name, scaleOf: scale, read, readAxis });
    const label = (x, y, anchor) => svg("text", { x, y, "text-anchor": anchor, class: "chart-label" });
    this.high = label(LEFT - 6, TOP + 8, "end");
    this.low = label(LEFT - 6, HEIGHT - BOTTOM, "end");
    this.from = label(LEFT, HEIGHT - 5, "start");
    this.to = label(0, HEIGHT - 5, "end");
    this.area = svg("path", { class: "chart-area" });
    this.line = svg("path", { class: "chart-line" });
    this.mark = svg("circle", { r: 3.5, class: "chart-mark", visibility: "hidden" });
    this.grid = [TOP, (TOP + HEIGHT - BOTTOM) / 2, HEIGHT - BOTTOM].map((y) => svg("line", { x1: LEFT, y1: y, y2: y, class: "chart-grid" }));
    this.root = svg("svg", { height: HEIGHT, role: "img", class: `chart-svg ${kind}` },
      ...this.grid, this.area, this.line, this.mark, this.high, this.low, this.from, this.to);
    parent.append(this.root);
    new ResizeObserver(([entry]) => this.#resize(entry.contentRect.width)).observe(parent);
    this.root.addEventListener("pointermove", (event) => this.#point(event));
    this.root.addEventListener("pointerleave", () => this.#point(null));
  }

  #resize(width) {
    this.#width = Math.max(WIDTH_MIN, Math.round(width));
    for (const line of this.grid) setAttribute(line, "x2", this.#width - RIGHT);
    setAttribute(this.to, "x", this.#width - RIGHT);
    if (this.note) this.draw(this.#points, this.note);
  }

  /** `note` is where the value under the pointer, or else a summary, is written. */
  draw(points, note) {
    this.#points = points;
    this.note = note;
    const values = points.filter((point) => point.value !== null).map((point) => point.value);
    const end = points.at(-1)?.at ?? Date.now();
    const begin = Math.min(points[0]?.at ?? end, end - SPAN_MILLIS_MIN);
    const { low, high } = this.scaleOf(values);
    const x = (at) => LEFT + ((at - begin) / (end - begin)) * (this.#width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    this.#scale = { x, y };
    let [line, area] = ["", ""];
    for (const stretch of stretches(points)) {
      const path = stretch.map((point) => `${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join("L");
      // A stretch of one point has no length; its round end is a dot.
      line += stretch.length === 1 ? `M${path}h0` : `M${path}`;
      area += `M${x(stretch[0].at).toFixed(1)} ${HEIGHT - BOTTOM}L${path}L${x(stretch.at(-1).at).toFixed(1)} ${HEIGHT - BOTTOM}Z`;
    }
    setAttribute(this.line, "d", line);
    setAttribute(this.area, "d", area);
    setText(this.high, this.readAxis(high));
    setText(this.low, this.readAxis(low));
    setText(this.from, ago(end - begin));
    setText(this.to, "now");
    const summary = values.length === 0 ? "nothing to show yet" : `now ${this.#now()}, ${this.read(Math.min(...values))} to ${this.read(Math.max(...values))} since the page was opened`;
    setAttribute(this.root, "aria-label", `${this.name}: ${summary}`);
    if (this.mark.getAttribute("visibility") === "hidden") setText(note, values.length === 0 ? "nothing yet" : this.#now());
  }

  #now() {
    const value = this.#points.at(-1)?.value ?? null;
    return value === null ? "–" : this.read(value);
  }

  #point(event) {
    const known = this.#points.filter((point) => point.value !== null);
    if (event === null || known.length === 0) {
      setAttribute(this.mark, "visibility", "hidden");
      setText(this.note, known.length === 0 ? "nothing yet" : this.#now());
      return;
    }
    const box = this.root.getBoundingClientRect();
    const at = event.clientX - box.left;
    const { x, y } = this.#scale;
    const nearest = known.reduce((best, point) => (Math.abs(x(point.at) - at) < Math.abs(x(best.at) - at) ? point : best));
    setAttribute(this.mark, "cx", x(nearest.at).toFixed(1));
    setAttribute(this.mark, "cy", y(nearest.value).toFixed(1));
    setAttribute(this.mark, "visibility", "visible");
    setText(this.note, `${this.read(nearest.value)}, ${ago(Date.now() - nearest.at)}`);
  }
}

/** Runs of points without a gap. */
function stretches(points) {
  const found = [];
  let open = null;
  for (const point of points) {
    if (point.value === null) open = null;
    else if (open === null) found.push((open = [point]));
    else open.push(point);
  }
  return found;
}

function ago(millis) {
  const seconds = Math.round(millis / 1000);
  if (seconds < 100) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}

/** From 0 to a round number at or above the highest value. */
export function fromZero(values) {
  const highest = Math.max(0, ...values);
  if (highest === 0) return { low: 0, high: 1 };
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 5, 10].find((step) => step * power >= highest);
  return { low: 0, high: step * power };
}

/** Percent, beginning at 90, 50 or 0, so that a fall from 99 to 97 is seen. */
export function percentScale(values) {
  const lowest = Math.min(100, ...values);
  return { low: lowest >= 90 ? 90 : lowest >= 50 ? 50 : 0, high: 100 };
}
