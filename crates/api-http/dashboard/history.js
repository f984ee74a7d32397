// The transitions of the run, newest first: as stored by the server, and as they happen.

import { getJson } from "./api.js";
import { byId, element, replace, setHidden, setText } from "./dom.js";
import { clock, words } from "./format.js";
import { openTab } from "./tabs.js";

const TRANSITIONS = "/api/cache/prices/transitions";
const SHOWN_MAX = 200;
/** Without a stream the history is asked for as often as this. */
const POLL_MILLIS = 10_000;

let transitions = [];
let stale = true;
let loading = false;
let lastLoad = 0;
let connection = null;
let changed = true;
let problem = null;
let redraw = () => {};

export function setUpHistory(onChange) {
  redraw = onChange;
}

export function reloadHistory() {
  stale = true;
  redraw();
}

/** How the page is connected; a stream that was opened again may have missed something. */
export function setHistoryConnection(kind) {
  if (kind === "live" && connection !== "live") reloadHistory();
  connection = kind;
}

/** A transition that just happened. */
export function receiveTransition(transition) {
  if (transitions.some((known) => isSame(known, transition))) return;
  transitions = [transition, ...transitions].slice(0, SHOWN_MAX);
  changed = true;
  redraw();
}

const isSame = (a, b) => a.at === b.at && a.event === b.event && a.to === b.to;

export function drawHistory() {
  if (openTab() !== "history") return;
  if (connection === "polling" && Date.now() - lastLoad > POLL_MILLIS) stale = true;
  if (stale && !loading && connection !== "lost") load();
  if (!changed) return;
  changed = false;
  setHidden(byId("history-empty"), transitions.length > 0);
  setHidden(byId("history-scroll"), transitions.length === 0);
  setText(byId("history-empty"), problem ?? "Nothing has happened yet.");
  replace(byId("history-rows"), ...transitions.map(row));
}

async function load() {
  loading = true;
  stale = false;
  lastLoad = Date.now();
  try {
    const answer = await getJson(TRANSITIONS);
    transitions = answer.transitions.slice(0, SHOWN_MAX);
    problem = null;
  } catch (error) {
    problem = error.status === 404 ? "This server keeps no history; transitions appear here as they happen." : error.message;
  } finally {
    loading = false;
    changed = true;
    redraw();
  }
}

function row(transition) {
  const { from, to } = transition;
  const state = (name) => element("span", { class: "badge small", "data-state": name }, name);
  const change = from === to ? [state(to)] : [state(from), element("span", { class: "arrow", "aria-label": "to" }, "→"), state(to)];
  return element("tr", {},
    element("td", { class: "when" }, clock(transition.at, true)),
    element("td", { class: "change" }, ...change),
    element("td", { class: "by" }, transition.actor),
    element("td", {}, element("span", {}, words(transition.event)), transition.reason ? element("small", {}, transition.reason) : ""));
}
