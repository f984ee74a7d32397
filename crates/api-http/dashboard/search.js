// One product's cached price in every market that has it, asked a few markets at a time.

import { getJson } from "./api.js";
import { byId, element, replace, setHidden, setText } from "./dom.js";
import { clock, count, duration, plural, words } from "./format.js";
import { entryOf } from "./price-lookup.js";

/** Markets asked at the same time. */
const PARALLEL_MAX = 6;
const SUGGESTIONS_MAX = 8;

const input = byId("search-product");
let abort = null;

export function setUpSearch() {
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    find(input.value);
  });
  byId("search-cancel").addEventListener("click", () => {
    abort?.abort();
    byId("search-go").focus();
  });
}

/** Forgets what was found: the cache is another one. */
export function clearSearch() {
  abort?.abort();
  abort = null;
  replace(byId("search-rows"));
  replace(byId("search-suggestions"));
  setHidden(byId("search-scroll"), true);
  setHidden(byId("search-cancel"), true);
  setText(byId("search-note"), "");
}

async function find(product) {
  clearSearch();
  const mine = (abort = new AbortController());
  setHidden(byId("search-cancel"), false);
  const search = { product, signal: mine.signal, asked: 0, found: 0, markets: [], similar: new Set() };
  try {
    setText(byId("search-note"), "Asking which markets have prices.");
    search.markets = (await getJson("/api/prices", {}, { signal: mine.signal })).markets.map((market) => market.market_id);
    await askAll(search);
    setText(byId("search-note"), verdict(search));
    if (search.found === 0) suggest(search.similar);
  } catch (error) {
    const cancelled = mine.signal.aborted;
    // One market's trouble ends the search: the others are not asked any more.
    mine.abort();
    if (abort !== mine) return;
    setText(byId("search-note"), cancelled ? `Cancelled. ${verdict(search)}` : error.message);
  } finally {
    if (abort === mine) setHidden(byId("search-cancel"), true);
  }
}

async function askAll(search) {
  const rows = new Map();
  const next = search.markets.values();
  const worker = async () => {
    for (const market of next) {
      const { entry, similar } = await entryOf(market, search.product, search.signal);
      search.asked += 1;
      for (const id of similar) if (search.similar.size < SUGGESTIONS_MAX) search.similar.add(id);
      if (entry !== null) {
        search.found += 1;
        rows.set(market, entryRow(entry));
        // In the order of the markets, whichever answered first.
        replace(byId("search-rows"), ...search.markets.flatMap((id) => rows.get(id) ?? []));
        setHidden(byId("search-scroll"), false);
      }
      setText(byId("search-note"), `Asked ${count(search.asked)} of ${plural(search.markets.length, "market")}, found in ${count(search.found)}.`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, worker));
}

function verdict({ asked, found, markets }) {
  if (markets.length === 0) return "Nothing is cached yet.";
  const missing = asked - found;
  if (found === 0) return `Not cached in any of the ${plural(asked, "market")} asked.`;
  return `Found in ${plural(found, "market")}${missing === 0 ? "" : `, not in ${count(missing)} other${missing === 1 ? "" : "s"}`}.`;
}

/** Ids that begin with what was typed: ids may end with spaces, or be known only in part. */
function suggest(similar) {
  if (similar.size === 0) return;
  const buttons = [...similar].map((id) => {
    const button = element("button", { type: "button", class: "suggestion" }, id.replace(/ +$/, (spaces) => "␣".repeat(spaces.length)));
    button.addEventListener("click", () => {
      input.value = id;
      find(id);
    });
    return button;
  });
  replace(byId("search-suggestions"), element("span", {}, "Cached ids that begin so:"), ...buttons);
}

function entryRow(entry) {
  const { price } = entry;
  const remarks = [];
  if (entry.last_error) remarks.push(`${words(entry.last_error.class)}: ${entry.last_error.message}`);
  else if (entry.stale) remarks.push("older than configured");
  const amount = price === null ? [element("span", { class: "help" }, "none yet")] : [element("strong", {}, price.amount), ` ${price.currency}`];
  return element("tr", {},
    element("th", { scope: "row" }, entry.market_id),
    element("td", { class: "number" }, ...amount),
    element("td", { class: "when" }, price === null ? "never" : `${clock(entry.fetched_at)}, ${duration(entry.age_seconds)} ago`),
    element("td", {}, entry.stale ? element("span", { class: "tag warn" }, "stale") : "", remarks.join(" ")));
}
