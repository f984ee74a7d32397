// The fetch log, newest first: filtered, paused while somebody reads, never longer than its limit.

import { getJson } from "./api.js";
import { byId, element, setAttribute, setHidden, setText } from "./dom.js";
import { clock, count, milliseconds } from "./format.js";
import { openTab, selectTab } from "./tabs.js";
import { VirtualList } from "./virtual-list.js";

const LOGS = "/api/cache/prices/logs";
/** Calls kept and shown. */
const ENTRIES_MAX = 500;
/** Without a stream the log is asked for as often as this. */
const POLL_MILLIS = 2_000;

const market = byId("log-market");
const outcome = byId("log-outcome");
const table = byId("log-table");
let entries = [];
/** Calls as text that nobody has looked at, oldest first; `passed` counts those that were too many to keep. */
let arrived = [];
let passed = 0;
/** Calls that are not shown yet: while paused, or while somebody reads further down. */
let held = [];
let heldCount = 0;
let paused = false;
let stale = true;
/** The newest request under way; answers to older ones are not wanted any more. */
let loading = null;
let lastLoad = 0;
let connection = null;
let problem = null;
let knownMarkets = "";
let redraw = () => {};

const list = new VirtualList({ table, body: byId("log-rows"), create: createRow, update: updateRow, onScroll: () => redraw() });

export function setUpLog(onChange) {
  redraw = onChange;
  for (const filter of [market, outcome]) {
    filter.addEventListener("change", showFiltered);
  }
  byId("log-pause").addEventListener("click", () => {
    paused = !paused;
    setAttribute(byId("log-pause"), "aria-pressed", String(paused));
    if (!paused) table.scrollTop = 0;
    redraw();
  });
}

/** Opens the log of one market, and moves there. */
export function showLogOf(id) {
  if (![...market.options].some((option) => option.value === id)) market.append(new Option(id, id));
  market.value = id;
  selectTab("log", true);
  showFiltered();
}

/** Another choice is another list, also while paused. */
function showFiltered() {
  table.scrollTop = 0;
  reload();
  load();
}

/** What is shown may be incomplete: after a gap in the stream, another run, another filter. */
export function reload() {
  stale = true;
  [arrived, passed, held, heldCount] = [[], 0, [], 0];
  redraw();
}

/** How the page is connected: live, calls arrive by themselves; polling, they are asked for; otherwise neither. */
export function setLogConnection(kind) {
  if (kind === "live" && connection !== "live") reload();
  connection = kind;
}

/** A call that just ended, as text. There may be thousands in a second: they are parsed when the log is drawn, if it is. */
export function receive(text) {
  if (openTab() !== "log") {
    [arrived, passed, stale] = [[], 0, true];
    return;
  }
  arrived.push(text);
  if (arrived.length >= 2 * ENTRIES_MAX) {
    passed += arrived.length - ENTRIES_MAX;
    arrived = arrived.slice(-ENTRIES_MAX);
  }
  redraw();
}

/** Holds what has arrived, as far as it is wanted. */
function sift() {
  const isWanted = (entry) => (market.value === "" || entry.market_id === market.value) && (outcome.value === "" || String(entry.success) === outcome.value);
  const fresh = arrived.map((text) => JSON.parse(text)).filter(isWanted);
  const isFiltered = market.value !== "" || outcome.value !== "";
  // Where calls passed unseen, only the server knows which of them were wanted.
  if (passed > 0 && isFiltered && Date.now() - lastLoad > POLL_MILLIS) stale = true;
  heldCount += fresh.length + (isFiltered ? 0 : passed);
  held = [...held, ...fresh].slice(-ENTRIES_MAX);
  [arrived, passed] = [[], 0];
}

/** Somebody who scrolled down reads: nothing moves under their eyes. */
const isReading = () => paused || table.scrollTop > 20;

export function drawLog(model) {
  if (openTab() !== "log") return;
  fillMarkets(model);
  sift();
  if (!isReading()) {
    if (connection === "polling" && Date.now() - lastLoad > POLL_MILLIS) stale = true;
    if (stale && !loading && connection !== "lost") load();
    if (held.length > 0 && !loading) merge();
  }
  setHidden(table, entries.length === 0);
  setHidden(byId("log-empty"), entries.length > 0);
  setText(byId("log-empty"), problem ?? (market.value === "" && outcome.value === "" ? "No fetch has been logged." : "No logged fetch matches."));
  const button = byId("log-pause");
  setText(button, paused ? "Go on" : "Pause");
  const waiting = heldCount === 0 ? "" : `, ${count(heldCount)} newer`;
  setText(byId("log-note"), paused ? `Paused${waiting}` : isReading() ? `Held while scrolled down${waiting}` : "");
  list.draw();
}

function merge() {
  const known = new Set(entries.map((entry) => entry.id));
  const fresh = held.filter((entry) => !known.has(entry.id)).reverse();
  [held, heldCount] = [[], 0];
  if (fresh.length === 0) return;
  entries = [...fresh, ...entries].slice(0, ENTRIES_MAX);
  list.setItems(entries);
}

async function load() {
  const mine = (loading = {});
  stale = false;
  lastLoad = Date.now();
  const filter = { market: market.value, success: outcome.value };
  try {
    const answer = await getJson(LOGS, { ...filter, limit: ENTRIES_MAX });
    if (loading !== mine) return;
    entries = answer.logs;
    problem = null;
    list.setItems(entries);
  } catch (error) {
    if (loading === mine) problem = error.message;
  } finally {
    if (loading === mine) loading = null;
    redraw();
  }
}

function fillMarkets(model) {
  const rows = model.status()?.rows ?? [];
  const names = JSON.stringify(rows.map((row) => row.id));
  if (names === knownMarkets || document.activeElement === market) return;
  knownMarkets = names;
  const chosen = market.value;
  const ids = rows.map((row) => row.id);
  if (chosen !== "" && !ids.includes(chosen)) ids.push(chosen);
  market.replaceChildren(new Option("All markets", ""), ...ids.map((id) => new Option(id, id)));
  market.value = chosen;
}

function createRow() {
  const cell = (name, ...inside) => element("span", { role: "cell", class: name }, ...inside);
  return element("div", { class: "row", role: "row" },
    cell("when"), cell("pair", element("span", { class: "tag" }), element("span", { class: "id" })),
    cell("outcome", element("span", { class: "code" }), element("span")), cell("number took"));
}

function updateRow(row, entry) {
  const [when, pair, result, took] = row.children;
  setAttribute(row, "data-success", String(entry.success));
  setText(when, clock(entry.timestamp, true));
  setText(pair.firstElementChild, entry.market_id);
  setText(pair.lastElementChild, entry.product_id);
  setAttribute(pair, "title", entry.url);
  setText(result.firstElementChild, entry.status_code === undefined ? "–" : String(entry.status_code));
  const said = entry.success ? "Price" : entry.error ?? "Failed";
  setText(result.lastElementChild, said);
  setAttribute(result, "title", said);
  setText(took, milliseconds(entry.duration_ms));
}
