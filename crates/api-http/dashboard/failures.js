// The failed products, grouped by class; a class opens to its products, a page at a time.

import { getJson } from "./api.js";
import { retryClass, retryRefusal } from "./controls.js";
import { byId, element, replace, setAttribute, setHidden, setText } from "./dom.js";
import { clock, count, percent, words } from "./format.js";
import { totals } from "./model.js";
import { openTab } from "./tabs.js";

const ERRORS = "/api/cache/prices/errors";
/** Products on a page of an open class. */
const PAGE_SIZE = 25;
/** Failures counted at most, in requests of this many; beyond that the counts say "more than". */
const COUNT_PAGE_SIZE = 1_000;
const COUNT_PAGES_MAX = 20;
/** Counting again is work for the server: not more often than this, and a small share of the time at most. */
const REFRESH_MILLIS_MIN = 5_000;
const REFRESH_SHARE_INVERSE = 20;
const EXPLANATIONS = {
  transport: "no connection, or it broke", timeout: "no answer in time", server_error: "the shop answered 5xx",
  rate_limited: "the shop asked to slow down", not_found: "no price here: 404 or 410", rejected: "the shop said no",
  credentials: "the shop refused our credentials: 401 or 403", invalid_answer: "the answer was not a price", cancelled: "given up from our side",
};

const groups = new Map();
let counted = null;
let counting = false;
let nextCount = 0;
let model;

export function setUpFailures(withModel) {
  model = withModel;
}

/** Draws the count on the tab, and the groups when they are looked at and something changed. */
export function drawFailures() {
  const status = model.status();
  if (status === null) return;
  const { failed } = totals(status);
  setText(byId("failures-count"), failed === 0 ? "" : count(failed));
  if (openTab() !== "failures") return;
  for (const [name, group] of groups) drawRetry(name, group);
  // Which products failed may change while their number stays, as after a retry: the run and its successes tell.
  const version = `${status.current_state.run_id} ${failed} ${model.isRunning()}`;
  if (version === counted || counting) return;
  if (Date.now() < nextCount && failed > 0) return;
  recount(version, failed);
}

async function recount(version, failed) {
  counting = true;
  const begun = Date.now();
  try {
    const { classes, complete } = failed === 0 ? { classes: new Map(), complete: true } : await countClasses();
    counted = version;
    show(classes, complete);
  } catch (error) {
    setText(byId("failures-empty"), error.message);
    setHidden(byId("failures-empty"), false);
  } finally {
    // Where nothing had failed, nobody was asked: the first failure is shown at once.
    const rest = Math.max(REFRESH_MILLIS_MIN, (Date.now() - begun) * REFRESH_SHARE_INVERSE);
    nextCount = failed === 0 ? 0 : Date.now() + rest;
    counting = false;
  }
}

/** Failures per class. A server that counts them itself says so in `classes`. */
async function countClasses() {
  const classes = new Map();
  let after = null;
  for (let page = 0; page < COUNT_PAGES_MAX; page += 1) {
    const answer = await getJson(ERRORS, { after, limit: COUNT_PAGE_SIZE });
    if (answer.classes) return { classes: new Map(Object.entries(answer.classes)), complete: true };
    for (const failure of answer.errors) classes.set(failure.class, (classes.get(failure.class) ?? 0) + 1);
    after = answer.next;
    if (after === null) return { classes, complete: true };
  }
  return { classes, complete: false };
}

function show(classes, complete) {
  const sum = [...classes.values()].reduce((total, number) => total + number, 0);
  const empty = byId("failures-empty");
  setHidden(empty, sum > 0);
  setText(empty, "No product has failed.");
  for (const [name, group] of groups) {
    if (!classes.has(name)) {
      group.root.remove();
      groups.delete(name);
    }
  }
  const ordered = [...classes].sort((a, b) => b[1] - a[1]);
  const parent = byId("failures-groups");
  ordered.forEach(([name, number], at) => {
    const group = groups.get(name) ?? createGroup(name);
    group.number = number;
    setText(group.count, `${complete ? "" : "more than "}${count(number)}`);
    setText(group.share, percent((number * 100) / sum));
    drawRetry(name, group);
    if (parent.children[at] !== group.root) parent.insertBefore(group.root, parent.children[at] ?? null);
    // Somebody who scrolled down reads: the rows stay until they come back up or turn the page.
    if (group.open && group.scroll.scrollTop === 0) load(group);
  });
}

function createGroup(name) {
  const id = `failures-${name}`;
  const group = { name, open: false, pages: [null], number: 0, count: element("strong"), share: element("span", { class: "share" }) };
  group.toggle = element("button", { type: "button", class: "group-toggle", "aria-expanded": "false", "aria-controls": id },
    element("span", { class: "chevron", "aria-hidden": "true" }),
    element("span", { class: "group-name" }, words(name), element("small", {}, EXPLANATIONS[name] ?? "")), group.count, group.share);
  group.retry = element("button", { type: "button", "aria-label": `Retry the failures of class ${words(name)}` }, "Retry");
  group.rows = element("tbody", { role: "rowgroup" });
  group.note = element("span", { class: "help" });
  group.previous = element("button", { type: "button" }, "Previous");
  group.next = element("button", { type: "button" }, "Next");
  group.scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Products of class ${words(name)}` },
    element("table", { class: "plain failures", role: "table" },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...["Product", "What went wrong", "Tries", "Given up"].map((title) => element("th", { scope: "col", role: "columnheader" }, title)))),
      group.rows));
  group.panel = element("div", { id, hidden: true }, group.scroll, element("div", { class: "pager" }, group.previous, group.note, group.next));
  group.root = element("section", { class: "group", "aria-label": words(name) }, element("div", { class: "group-head" }, group.toggle, group.retry), group.panel);
  group.toggle.addEventListener("click", () => toggle(group));
  group.retry.addEventListener("click", () => retryClass(name, group.number));
  group.previous.addEventListener("click", () => turn(group, -1));
  group.next.addEventListener("click", () => turn(group, 1));
  groups.set(name, group);
  return group;
}

function drawRetry(name, group) {
  const refusal = retryRefusal();
  setAttribute(group.retry, "aria-disabled", refusal === null ? null : "true");
  setAttribute(group.retry, "title", refusal);
}

function toggle(group) {
  group.open = !group.open;
  setAttribute(group.toggle, "aria-expanded", String(group.open));
  setHidden(group.panel, !group.open);
  if (group.open) load(group);
}

/** Cursors of the pages up to the one shown are kept, so that one can go back. */
function turn(group, step) {
  if (step < 0 && group.pages.length > 1) group.pages.pop();
  else if (step > 0 && group.following) group.pages.push(group.following);
  else return;
  group.scroll.scrollTop = 0;
  load(group);
}

async function load(group) {
  const asked = (group.asked = {});
  try {
    const page = await getJson(ERRORS, { class: group.name, after: group.pages.at(-1), limit: PAGE_SIZE });
    if (group.asked !== asked) return;
    group.following = page.next;
    replace(group.rows, ...page.errors.map(failureRow));
    const before = (group.pages.length - 1) * PAGE_SIZE;
    setText(group.note, page.errors.length === 0 ? "none" : `${count(before + 1)} to ${count(before + page.errors.length)}`);
  } catch (error) {
    if (group.asked !== asked) return;
    group.following = null;
    setText(group.note, error.message);
    // A cursor into a run that is gone: begin again the next time.
    if (error.status === 400) group.pages = [null];
  }
  setAttribute(group.previous, "aria-disabled", group.pages.length === 1 ? "true" : null);
  setAttribute(group.next, "aria-disabled", group.following === null ? "true" : null);
}

/** The roles are said out loud: on a narrow screen the rows are laid out as blocks, which would take the table's away. */
function failureRow(failure) {
  const code = failure.last_status_code === null ? "" : `${failure.last_status_code} `;
  return element("tr", { role: "row" },
    element("th", { scope: "row", role: "rowheader" }, element("span", { class: "tag" }, failure.market), element("span", { class: "id" }, failure.product)),
    element("td", { role: "cell" }, code === "" ? "" : element("span", { class: "code" }, code), failure.message),
    element("td", { class: "number", role: "cell" }, count(failure.attempts)),
    element("td", { class: "when", role: "cell" }, clock(failure.at, true)));
}
