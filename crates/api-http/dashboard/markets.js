// The markets: filter, sort, and a table of any length that is walked with the arrow keys.

import { byId, element, setAttribute, setHidden, setProperty, setText } from "./dom.js";
import { count, duration, durationRange, milliseconds, percent, plural } from "./format.js";
import { VirtualList } from "./virtual-list.js";

const UNKNOWN_LAST = Number.MAX_VALUE;
const SORTS = {
  name: (row) => row.id,
  progress: (row) => (row.total === 0 ? -1 : row.completed / row.total),
  success: (row) => (row.completed === 0 ? UNKNOWN_LAST : row.success_rate),
  failed: (row) => row.failed,
  eta: (row) => row.eta_seconds ?? UNKNOWN_LAST,
};
const compareNames = new Intl.Collator("en", { numeric: true }).compare;

const table = byId("markets-table");
let sort = null;
let shown = [];
let chosen = null;
let openMarket = () => {};
let redraw = () => {};

const list = new VirtualList({ table, body: byId("markets-rows"), create: createRow, update: updateRow });

export function setUpMarkets({ onOpen, onChange }) {
  openMarket = onOpen;
  redraw = onChange;
  byId("markets-filter").addEventListener("input", redraw);
  for (const head of table.querySelectorAll("[data-sort]")) {
    head.firstElementChild.addEventListener("click", () => sortBy(head.dataset.sort));
  }
  table.addEventListener("keydown", onKey);
  table.addEventListener("click", onClick);
  // Chosen by pointer: the row, not the scroll box, is what was meant.
  table.addEventListener("focus", () => { if (chosen === null && shown.length > 0) choose(0); });
}

/** Ascending, descending, back to the order of the run. */
function sortBy(name) {
  if (sort?.name !== name) sort = { name, direction: name === "failed" ? -1 : 1, turns: 1 };
  else if (sort.turns === 1) sort = { name, direction: -sort.direction, turns: 2 };
  else sort = null;
  for (const head of table.querySelectorAll("[data-sort]")) {
    const direction = sort?.name === head.dataset.sort ? sort.direction : 0;
    setAttribute(head, "aria-sort", direction === 0 ? null : direction > 0 ? "ascending" : "descending");
  }
  redraw();
}

export function drawMarkets(model) {
  const rows = model.status()?.rows ?? [];
  const wanted = byId("markets-filter").value.trim().toLowerCase();
  shown = wanted === "" ? rows : rows.filter((row) => row.id.toLowerCase().includes(wanted));
  if (sort !== null) shown = sorted(shown);
  const done = rows.filter((row) => row.state === "done").length;
  const found = wanted === "" ? "" : `${count(shown.length)} of `;
  setText(byId("markets-count"), rows.length === 0 ? "" : `${found}${count(rows.length)}, ${count(done)} done`);
  setHidden(table, shown.length === 0);
  setHidden(byId("markets-help"), shown.length === 0);
  const empty = byId("markets-empty");
  setHidden(empty, shown.length > 0);
  if (model.status() !== null) setText(empty, rows.length === 0 ? "No markets yet. They are listed when a run starts." : `No market's name contains “${wanted}”.`);
  list.setItems(shown);
  markChosen();
}

function sorted(rows) {
  const { name, direction } = sort;
  const by = SORTS[name];
  if (name === "name") return rows.toSorted((a, b) => direction * compareNames(a.id, b.id));
  // The sort is stable: equal rows keep the order of the run.
  return rows.toSorted((a, b) => direction * (by(a) - by(b)));
}

function createRow() {
  const cell = (name, ...inside) => element("span", { role: "gridcell", class: name }, ...inside);
  const bar = element("span", { class: "meter", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" },
    element("span", { class: "meter-good" }), element("span", { class: "meter-bad" }));
  return element("div", { class: "row", role: "row" },
    cell("market", element("span", { class: "name" }), element("span", { class: "line" })),
    cell("progress", bar, element("span", { class: "line" })),
    cell("number success"), cell("number failed"), cell("number left", element("span"), element("span", { class: "line" })));
}

function updateRow(row, market, index) {
  const [name, progress, success, failed, left] = row.children;
  setAttribute(row, "id", `market-row-${index}`);
  setAttribute(row, "data-state", market.state);
  setAttribute(row, "aria-selected", market.id === chosen ? "true" : "false");
  setText(name.firstElementChild, market.id);
  setAttribute(name.firstElementChild, "title", market.id);
  setText(name.lastElementChild, stateLine(market));
  setAttribute(name.lastElementChild, "title", stateLine(market));

  const share = market.total === 0 ? 0 : (market.completed * 100) / market.total;
  const bar = progress.firstElementChild;
  setProperty(bar, "--good-share", `${market.total === 0 ? 0 : ((market.completed - market.failed) * 100) / market.total}%`);
  setProperty(bar, "--bad-share", `${market.total === 0 ? 0 : (market.failed * 100) / market.total}%`);
  setAttribute(bar, "aria-label", `Progress of ${market.id}`);
  setAttribute(bar, "aria-valuenow", Math.floor(share));
  setText(progress.lastElementChild, `${count(market.completed)} / ${count(market.total)}`);

  setText(success, market.completed === 0 ? "–" : percent(market.success_rate));
  setAttribute(success, "data-low", market.low_success_rate ? "true" : null);
  setAttribute(success, "title", market.low_success_rate ? "Unusually low success rate" : null);
  setText(failed, count(market.failed));
  setAttribute(failed, "data-some", market.failed > 0 ? "true" : null);
  setText(left.firstElementChild, market.state === "done" ? "Done" : duration(market.eta_seconds ?? NaN));
  setText(left.lastElementChild, market.state === "done" ? "" : durationRange(market.eta_seconds_low, market.eta_seconds_high) ?? "");
}

const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What the market does, or why it waits. */
function stateLine(market) {
  switch (market.state) {
    case "active": return market.avg_time_per_request_ms === null ? "Fetching" : `Fetching, ${milliseconds(market.avg_time_per_request_ms)} an answer`;
    case "waiting": return market.waiting ?? "Waits before the next request";
    case "parked": return capitalised(market.waiting ?? "parked after many failures in a row; probed again by itself");
    case "done": return market.failed === 0 ? "Every product has a price" : `${plural(market.failed, "product")} without a price`;
    default: return market.waiting ?? (market.completed === 0 ? "Not begun" : "Begun, waits for its turn");
  }
}

function onKey(event) {
  if (event.target !== table || shown.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const at = shown.findIndex((row) => row.id === chosen);
  const page = list.pageRows();
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: shown.length - 1 };
  if (event.key in moves) choose(Math.min(shown.length - 1, Math.max(0, moves[event.key])));
  else if (event.key === "Enter" && at >= 0) openMarket(chosen);
  else return;
  event.preventDefault();
}

function onClick(event) {
  const row = event.target.closest(".grid-body .row");
  const market = row === null ? undefined : shown[Number(row.getAttribute("aria-rowindex")) - 2];
  if (market === undefined) return;
  chosen = market.id;
  redraw();
  // Text may be marked with the pointer without anything opening.
  if (getSelection()?.isCollapsed ?? true) openMarket(market.id);
}

function choose(index) {
  chosen = shown[index].id;
  list.reveal(index);
  list.draw();
  markChosen();
}

function markChosen() {
  const at = shown.findIndex((row) => row.id === chosen);
  setAttribute(table, "aria-activedescendant", at >= 0 && document.getElementById(`market-row-${at}`) !== null ? `market-row-${at}` : null);
}
