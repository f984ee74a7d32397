// The run at a glance: badge and reason, progress, time left, figures.

import { serverNow } from "./clock.js";
import { byId, setAttribute, setHidden, setProperty, setText } from "./dom.js";
import { clock, count, duration, durationRange, milliseconds, percent, plural, rate, secondsUntil, sentence } from "./format.js";
import { restOfRun, totals } from "./model.js";

const LABELS = { IDLE: "Idle", INITIALIZING: "Preparing", PROCESSING: "Running", PAUSED: "Paused", COMPLETED: "Completed", ERROR: "Error" };
const PAUSES = {
  manual: "Stopped by hand",
  shutdown: "Stopped because the program was ended",
  interrupted: "Interrupted: the program ended without warning",
  retry_finished: "The failed products were tried again; others still have no outcome",
};
const ELAPSED_NAMES = { PAUSED: "Start to pause", COMPLETED: "Start to end" };

let announced = null;
let announcedKind = null;

export function drawOverview(model, samples) {
  const status = model.status();
  if (status === null) return;
  const state = status.current_state;
  const sum = totals(status);
  const { analytics } = status;

  const badge = byId("state");
  setAttribute(badge, "data-state", state.status);
  setText(badge, state.stop_requested && model.isRunning() ? "Stopping" : LABELS[state.status] ?? state.status);
  const reason = reasonOf(status, sum);
  setText(byId("reason"), reason);
  announce(state, reason);

  const waitsForPlan = sum.total === 0;
  setText(byId("progress-percent"), waitsForPlan ? "0 %" : percent(status.overall_progress));
  setText(byId("progress-count"), waitsForPlan ? "no products listed yet" : `${count(sum.completed)} of ${plural(sum.total, "product")}`);
  drawProgress(status, sum);
  drawRest(status);

  const running = state.status === "PROCESSING";
  setText(byId("figure-rate"), running ? rate(samples.currentRate()) : "–");
  setText(byId("figure-success"), sum.completed === 0 ? "–" : percent(analytics.success_rate));
  setText(byId("figure-failed"), count(analytics.total_fails));
  setText(byId("figure-requests"), count(analytics.total_requests));
  setText(byId("figure-answer"), analytics.total_requests === 0 ? "–" : milliseconds(analytics.avg_time_per_request_ms));
  setText(byId("figure-elapsed"), state.started_at === null ? "–" : duration(elapsed(state)));
  setText(byId("figure-elapsed-name"), ELAPSED_NAMES[state.status] ?? "Since the start");
  setText(byId("run-facts"), state.run_id === null ? "No run" : `Run ${state.run_id}, started ${clock(state.started_at, true)}`);
}

function elapsed(state) {
  const end = state.completed_at ?? state.paused_at;
  const since = -secondsUntil(state.started_at);
  return end === null ? Math.max(0, since) : (Date.parse(end) - Date.parse(state.started_at)) / 1000;
}

function drawProgress(status, sum) {
  const bar = byId("progress");
  const share = (value) => `${sum.total === 0 ? 0 : (value * 100) / sum.total}%`;
  setProperty(bar, "--good-share", share(sum.completed - sum.failed));
  setProperty(bar, "--bad-share", share(sum.failed));
  setAttribute(bar, "data-busy", status.current_state.status === "INITIALIZING");
  setAttribute(bar, "aria-valuenow", sum.total === 0 ? null : Math.floor(status.overall_progress));
  setAttribute(bar, "aria-valuetext", sum.total === 0 ? null : `${percent(status.overall_progress)}, ${plural(sum.failed, "failure")}`);
}

function drawRest(status) {
  const state = status.current_state;
  const [main, more] = [byId("eta"), byId("eta-range")];
  if (state.status === "COMPLETED") {
    setText(main, `Done ${clock(state.completed_at)}`);
    setText(more, `after ${duration(elapsed(state))}`);
    return;
  }
  const rest = restOfRun(status);
  if (rest === null || state.status === "IDLE") {
    setText(main, state.status === "IDLE" ? "" : "Time left unknown");
    setText(more, state.status === "IDLE" ? "" : "too little is known for an estimate");
    return;
  }
  const range = durationRange(rest.low, rest.high);
  setText(main, `${duration(rest.expected)} left`);
  const parts = range === null ? [] : [range];
  if (state.status === "PROCESSING") {
    const [early, late] = [rest.low, rest.high].map((seconds) => clockIn(seconds));
    const at = clockIn(rest.expected);
    parts.push(range === null || early === late ? `done at ${at}` : `done at ${at} (${early} to ${late})`);
  } else {
    parts.push("once it goes on");
  }
  setText(more, parts.join(", "));
}

const clockIn = (seconds) => clock(serverNow() + seconds * 1000);

function reasonOf(status, sum) {
  const state = status.current_state;
  switch (state.status) {
    case "IDLE": return "Nothing has been started. Start fetches every product of every market once.";
    case "INITIALIZING": return state.total_markets === 0 ? "Listing the markets." : `Listing the products of ${plural(state.total_markets, "market")}.`;
    case "PROCESSING": return `${walking(status)}${slower(status)}`;
    case "PAUSED": return `${PAUSES[state.paused_reason] ?? sentence(state.paused_reason ?? "Paused").slice(0, -1)}, at ${clock(state.paused_at, true)}. Resume goes on where it was.`;
    case "COMPLETED": return sum.failed === 0 ? `Every product has its price, since ${clock(state.completed_at)}.` : `Every product has an outcome, since ${clock(state.completed_at)}; ${count(sum.failed)} without a price.`;
    case "ERROR": return `${sentence(state.error_message)} ${comeback(state)}`;
    default: return "";
  }
}

function comeback(state) {
  const left = secondsUntil(state.retry_at);
  if (!Number.isFinite(left)) return "Retry tries again.";
  return left > 0 ? `Tries again by itself at ${clock(state.retry_at, true)}, in ${duration(left)}.` : "Trying again now.";
}

function walking(status) {
  if (status.current_state.stop_requested) return "Finishing the requests that are in flight.";
  const by = (state) => status.rows.filter((row) => row.state === state);
  const [active, waiting, parked] = [by("active"), by("waiting"), by("parked")];
  const setAside = parked.length === 0 ? "" : ` ${plural(parked.length, "market")} parked after failures in a row.`;
  // Markets take turns at waiting many times a second: their numbers say it more calmly than their names.
  const under = active.length + waiting.length;
  if (under === 1 && active.length === 1) return `Fetching ${active[0].id}.${setAside}`;
  if (under === 1) return `${waiting[0].id} waits: ${waiting[0].waiting}.${setAside}`;
  if (active.length > 0) return `Fetching from ${under} markets${waiting.length === 0 ? "" : `, ${waiting.length} of them waiting`}.${setAside}`;
  if (waiting.length > 0) return `All ${under} markets wait; ${waiting[0].id}: ${waiting[0].waiting}.${setAside}`;
  if (parked.length > 0) return "Every unfinished market is parked after failures in a row, and probed again by itself.";
  return "Fetching prices.";
}

/** What the upstream's refusals lead to, when they do. */
function slower({ current_state: state, pace_limit: pace }) {
  if (!pace?.slowed_down || state.stop_requested) return "";
  return ` The upstream refuses requests as too many; they are sent at ${rate(pace.requests_per_second)}.`;
}

/** A screen reader hears of changes of state, not of every figure. */
function announce(state, reason) {
  const now = `${state.status} ${state.stop_requested}`;
  if (announced === now) return;
  const first = announced === null;
  announced = now;
  if (!first) setText(byId("announcer"), `${byId("state").textContent}. ${reason}`);
}

/** The title is read on the tab of a page that is hidden, so it goes on where nothing else is drawn. */
export function drawTitle(status, kind) {
  const state = status?.current_state.status;
  let what = null;
  if (kind === "lost") what = "Connection lost";
  else if (state === "PROCESSING") what = percent(status.overall_progress);
  else if (state !== undefined) what = LABELS[state] ?? state;
  const title = what === null ? "Price cache" : `${what} – Price cache`;
  if (document.title !== title) document.title = title;
}

/** Shows how the page is connected: `{kind, retryAt, sentence}` of connection.js, and when the last news came. */
export function drawConnection({ kind, retryAt, sentence: why }, lastNews) {
  const left = Math.max(0, Math.ceil(((retryAt ?? 0) - Date.now()) / 1000));
  const texts = {
    connecting: "Connecting", live: "Live", polling: "Live, asked every 2 s", locked: "API key needed",
    lost: "Connection lost, reconnecting",
  };
  setAttribute(byId("connection"), "data-kind", kind);
  setText(byId("connection-text"), texts[kind]);
  const broken = kind === "lost" || kind === "locked";
  if (kind !== announcedKind) {
    const back = announcedKind === "lost" && !broken;
    if (kind === "lost") setText(byId("announcer"), "Connection lost, reconnecting.");
    else if (back) setText(byId("announcer"), `Connected again. ${byId("state").textContent}.`);
    announcedKind = kind;
  }
  setHidden(byId("banner"), !broken);
  setAttribute(document.body, "data-stale", broken && lastNews !== null ? "true" : null);
  if (!broken) return;
  const asOf = lastNews === null ? "" : ` What is shown is from ${clock(lastNews, true)}.`;
  const next = kind === "locked" ? "" : ` ${left > 0 ? `Next attempt in ${left} s.` : "Trying again."}`;
  setText(byId("banner-text"), `${kind === "locked" ? sentence(why) : `Connection lost. ${sentence(why)}`}${asOf}${next}`);
  setText(byId("banner-action"), kind === "locked" ? "Enter API key" : "Try now");
}
