// Asks before a reset, and says with figures what would be lost.

import { getJson, post } from "./api.js";
import { byId, element, replace, setAttribute, setHidden, setText } from "./dom.js";
import { clock, count, plural, sentence } from "./format.js";
import { totals } from "./model.js";

const dialog = byId("reset-dialog");
const keep = byId("reset-keep");
let done = () => {};
let figures = {};

/** Opens the question; `onDone(sentence)` is called with the server's answer. */
export function askToReset(status, onDone) {
  done = onDone;
  figures = { status };
  keep.checked = false;
  setHidden(byId("reset-refused"), true);
  showLoss();
  dialog.showModal();
  byId("reset-cancel").focus();
  addFigure("prices", async () => {
    const { markets } = await getJson("/api/prices");
    return { markets: markets.length, prices: markets.reduce((sum, market) => sum + market.prices, 0) };
  });
  addFigure("calls", async () => (await getJson("/api/cache/prices/logs", { limit: 1 })).metadata.total_logs);
}

async function addFigure(name, load) {
  const asked = figures;
  try {
    asked[name] = await load();
  } catch {
    // The question can be answered without this figure.
    asked[name] = null;
  }
  if (asked === figures) showLoss();
}

function showLoss() {
  const { status, prices, calls } = figures;
  const lines = [];
  const state = status.current_state;
  if (state.run_id !== null) {
    const sum = totals(status);
    lines.push(`the run of ${clock(state.started_at)}: ${count(sum.completed)} of ${plural(sum.total, "product")} in ${plural(status.rows.length, "market")}, with ${plural(sum.failed, "failure")}`);
    lines.push(`its analytics: ${plural(status.analytics.total_requests, "request")}`);
  }
  if (calls !== 0) lines.push(Number.isFinite(calls) ? `the fetch log: ${plural(calls, "call")}` : "the fetch log");
  const list = lines.map((line) => element("li", {}, line));
  list.push(priceLine(prices));
  replace(byId("reset-list"), ...list);
  setText(byId("reset-confirm"), keep.checked ? "Reset, keep prices" : "Reset and delete prices");
}

function priceLine(prices) {
  let what = "the cached prices";
  if (prices) what = prices.prices === 0 ? "no cached price: there is none" : `${plural(prices.prices, "cached price")} of ${plural(prices.markets, "market")}`;
  if (!keep.checked) return element("li", { class: "loss" }, what);
  return element("li", { class: "kept" }, element("del", {}, what), " – kept, and served as before");
}

keep.addEventListener("change", showLoss);
byId("reset-cancel").addEventListener("click", () => dialog.close());
byId("reset-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("reset-confirm");
  if (button.getAttribute("aria-disabled") === "true") return;
  setAttribute(button, "aria-disabled", "true");
  try {
    const answer = await post("/api/cache/prices/reset", { keep_prices: keep.checked });
    dialog.close();
    done(answer);
  } catch (error) {
    setText(byId("reset-refused"), sentence(error.message));
    setHidden(byId("reset-refused"), false);
  } finally {
    setAttribute(button, "aria-disabled", null);
  }
});
