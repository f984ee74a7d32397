// Keeps the page live: one event stream with reconnection and a watchdog, or polling where the server has no stream.

import { ApiError, getJson } from "./api.js";
import { readEvents } from "./event-stream.js";

const EVENTS = "/api/cache/prices/events";
const STATUS = "/api/cache/prices/status";
/** The server says something every 15 s; after two missed heartbeats the connection is lost. */
const SILENCE_MILLIS_MAX = 35_000;
const POLL_MILLIS = 2_000;
/** How often a polling page looks whether there is a stream after all. */
const STREAM_RETRY_MILLIS = 60_000;
const SILENT = "Nothing was heard from the server for 35 s.";
const BACKOFF_MILLIS_MIN = 500;
const BACKOFF_MILLIS_MAX = 15_000;

/**
 * Runs until the page is closed. `handlers`: `status(text or document)`, `transition(document)`, `log(text)`,
 * `connection({kind, retryAt?, sentence?})` with kind connecting, live, polling, lost or locked.
 */
export class Connection {
  #handlers;
  #lastId = "";
  #failures = 0;
  #wake = () => {};

  constructor(handlers) {
    this.#handlers = handlers;
    // A laptop that wakes up, or a cable that is back, need not wait for the backoff.
    addEventListener("online", () => this.retryNow());
  }

  /** Ends a wait between two attempts. */
  retryNow() {
    this.#wake();
  }

  async run() {
    this.#handlers.connection({ kind: "connecting" });
    for (;;) {
      const problem = await this.#stream();
      if (problem.status === 401) {
        this.#handlers.connection({ kind: "locked", sentence: problem.message });
        await this.#sleep(2 ** 31 - 1);
      } else if (problem.status >= 400) {
        // The server is there but gives no stream: it has none, or has its fill of readers.
        await this.#poll();
      } else {
        await this.#backOff(problem);
      }
    }
  }

  /** One stream from its beginning to its end; answers why it ended. */
  async #stream() {
    const abort = new AbortController();
    let silence;
    const onAlive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(new ApiError(0, SILENT)), SILENCE_MILLIS_MAX);
    };
    // Before the answer the key may be asked for, which may take a person a while: the watch begins with the answer.
    try {
      await readEvents(EVENTS, {
        lastId: this.#lastId,
        signal: abort.signal,
        onAlive,
        onOpen: () => {
          onAlive();
          this.#failures = 0;
          this.#handlers.connection({ kind: "live" });
        },
        onId: (id) => { this.#lastId = id; },
        onEvent: (name, data) => this.#dispatch(name, data),
      });
      return new ApiError(0, "The server ended the connection.");
    } catch (error) {
      return error instanceof ApiError ? error : new ApiError(0, "The connection to the server broke off.");
    } finally {
      clearTimeout(silence);
      abort.abort();
    }
  }

  #dispatch(name, data) {
    // A status comes up to ten times a second and calls by the thousand, and all of it is read a few times a second at
    // most: the view that shows it parses it.
    if (name === "status") this.#handlers.status(data);
    else if (name === "transition") this.#handlers.transition(JSON.parse(data));
    else if (name === "log") this.#handlers.log(data);
  }

  async #poll() {
    const until = Date.now() + STREAM_RETRY_MILLIS;
    while (Date.now() < until) {
      try {
        this.#handlers.status(await getJson(STATUS));
        this.#failures = 0;
        this.#handlers.connection({ kind: "polling" });
      } catch (error) {
        if (error.status !== 401) await this.#backOff(error);
        // Whatever went wrong, the server may be another one now, which has a stream.
        return;
      }
      await this.#sleep(POLL_MILLIS);
    }
  }

  async #backOff(problem) {
    this.#failures += 1;
    const longest = Math.min(BACKOFF_MILLIS_MAX, BACKOFF_MILLIS_MIN * 2 ** Math.min(this.#failures, 10));
    const asked = (problem.retryAfterSeconds ?? 0) * 1000;
    // Jitter, so that many pages do not come back at the same moment.
    const wait = Math.max(asked, longest * (0.5 + Math.random() / 2));
    this.#handlers.connection({ kind: "lost", retryAt: Date.now() + wait, sentence: problem.message });
    await this.#sleep(wait);
  }

  #sleep(millis) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, millis);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}
