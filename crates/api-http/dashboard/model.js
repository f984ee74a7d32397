// What the page knows: the latest status, read out of its text only when somebody looks.

import { secondsUntil } from "./format.js";

/** States in which requests are made, or are about to be. */
export const RUNNING = new Set(["INITIALIZING", "PROCESSING"]);

export class Model {
  #latest = null;
  #text = null;
  #listeners = [];

  /** A status as text from the stream, or as a document from polling. */
  receive(status) {
    if (typeof status === "string") this.#text = status;
    else [this.#latest, this.#text] = [readable(status), null];
    for (const listener of this.#listeners) listener();
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** The latest status, with `rows`: its markets in the order of the run; null before the first one. */
  status() {
    if (this.#text !== null) {
      const text = this.#text;
      this.#text = null;
      this.#latest = readable(JSON.parse(text));
    }
    return this.#latest;
  }

  /** Whether a run is going on. */
  isRunning() {
    return RUNNING.has(this.status()?.current_state.status);
  }
}

function readable(status) {
  // Members of an object that look like numbers come in numerical order in JavaScript; the list of ids keeps the run's.
  const byId = new Map(Object.entries(status.markets));
  const listed = status.current_state.markets.filter((id) => byId.has(id));
  const ids = listed.length === byId.size ? listed : [...byId.keys()];
  status.rows = ids.map((id) => ({ id, ...byId.get(id) }));
  return status;
}

/** Products over all markets. */
export function totals(status) {
  let [completed, total, failed] = [0, 0, 0];
  for (const row of status.rows) {
    completed += row.completed;
    total += row.total;
    failed += row.failed;
  }
  return { completed, total, failed };
}

/** The rest of the run in seconds: `{expected, low, high}`, or null when unknown. */
export function restOfRun(status) {
  if (Number.isFinite(status.total_eta_seconds)) {
    return { expected: status.total_eta_seconds, low: status.total_eta_seconds_low, high: status.total_eta_seconds_high };
  }
  if (status.total_eta_minutes === null) return null;
  const until = secondsUntil(status.current_state.estimated_end_at);
  const expected = Number.isFinite(until) ? Math.max(0, until) : status.total_eta_minutes * 60;
  return { expected, ...rangeOf(status.rows, expected) };
}

/** The markets' own ranges, put together as the run walks them: several at once, but none faster than its longest. */
function rangeOf(rows, expected) {
  let sum = 0, longest = 0, sumLow = 0, longestLow = 0, sumHigh = 0, longestHigh = 0;
  for (const row of rows) {
    if (!Number.isFinite(row.eta_seconds_low) || !Number.isFinite(row.eta_seconds_high)) return {};
    sum += row.eta_seconds;
    longest = Math.max(longest, row.eta_seconds);
    sumLow += row.eta_seconds_low;
    longestLow = Math.max(longestLow, row.eta_seconds_low);
    sumHigh += row.eta_seconds_high;
    longestHigh = Math.max(longestHigh, row.eta_seconds_high);
  }
  const lanes = expected > 0 ? Math.max(1, sum / expected) : 1;
  return {
    low: Math.min(expected, Math.max(sumLow / lanes, longestLow)),
    high: Math.max(expected, sumHigh / lanes, longestHigh),
  };
}
