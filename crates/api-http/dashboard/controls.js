// The four verbs: which the state allows, why not, and what the server said.

import { post } from "./api.js";
import { byId, setAttribute, setHidden, setText } from "./dom.js";
import { sentence } from "./format.js";
import { RUNNING, totals } from "./model.js";
import { askToReset } from "./reset-dialog.js";

const COMMANDS = "/api/cache/prices/";
const START_LABELS = { PAUSED: "Resume", ERROR: "Retry", COMPLETED: "Start again" };
const buttons = { start: byId("start"), stop: byId("stop"), "retry-failed": byId("retry-failed"), reset: byId("reset") };
/** What was done is seen in the state as well: its sentence goes by itself, and at once when the state is another one. A
 * refusal stays until it is dismissed. */
const DONE_SHOWN_MILLIS = 10_000;
let busy = false;
let hiding = null;
/** What the sentence of success is about: `{from, to, reached}`, the states before and after; null when none is shown. */
let done = null;
let model;

export function setUpControls(withModel) {
  model = withModel;
  for (const name of ["start", "stop", "retry-failed"]) {
    buttons[name].addEventListener("click", () => whenAllowed(name, () => send(name)));
  }
  buttons.reset.addEventListener("click", () => whenAllowed("reset", () => askToReset(model.status(), showDone)));
  byId("message-close").addEventListener("click", () => {
    hideMessage();
    buttons.start.focus();
  });
}

/** Labels the buttons and refuses those that the state refuses. They stay focusable, so that the reason can be read. */
export function drawControls() {
  const status = model.status();
  const reasons = status === null ? everything("There is no answer from the server yet.") : refusals(status);
  const state = status?.current_state.status;
  if (done !== null && status !== null && isOver(keyOf(status.current_state))) hideMessage();
  setText(buttons.start, START_LABELS[state] ?? "Start");
  for (const [name, button] of Object.entries(buttons)) {
    const reason = busy ? "A command is under way." : reasons[name];
    setAttribute(button, "aria-disabled", reason === null ? null : "true");
    setAttribute(button, "aria-describedby", reason === null ? null : `${name}-why`);
    setAttribute(button, "title", reason);
    setText(byId(`${name}-why`), reason ?? "");
  }
}

const everything = (reason) => ({ start: reason, stop: reason, "retry-failed": reason, reset: reason });

function refusals(status) {
  const state = status.current_state;
  const running = model.isRunning();
  const { failed } = totals(status);
  let retry = null;
  if (state.status === "IDLE") retry = "Nothing has been run yet.";
  else if (running) retry = "The run is going on; it has to end or be stopped first.";
  else if (failed === 0) retry = "No product failed.";
  let stop = null;
  if (!running) stop = "Nothing is running.";
  else if (state.stop_requested) stop = "It is stopping already.";
  return {
    start: running ? "The run is going on already." : null,
    stop,
    "retry-failed": retry,
    reset: running ? "The run is going on; stop it first." : null,
  };
}

function whenAllowed(name, act) {
  const button = buttons[name];
  if (button.getAttribute("aria-disabled") === "true") showMessage(byId(`${name}-why`).textContent, true);
  else act();
}

/** Sends a command, `body` narrows retry-failed. */
export async function send(name, body) {
  busy = true;
  drawControls();
  try {
    const answer = await post(COMMANDS + name, body);
    showDone(answer);
  } catch (error) {
    showMessage(sentence(error.message), true);
  } finally {
    busy = false;
    drawControls();
  }
}

/** Whether and why retry-failed is refused now: a sentence, or null. */
export function retryRefusal() {
  const status = model.status();
  return status === null ? "There is no answer from the server yet." : refusals(status)["retry-failed"];
}

/** Retries the failed products of one class. */
export const retryClass = (name, count) => {
  const refusal = retryRefusal();
  if (refusal !== null) showMessage(refusal, true);
  else if (count > 0) send("retry-failed", { class: name });
};

/** One state for as long as a sentence about it is true. */
const keyOf = (state) => (state.status === "IDLE" ? "IDLE" : `${RUNNING.has(state.status) ? "running" : state.status} ${state.run_id}`);

/** Says what a command has done. A reset says no state: it ends in one only. */
function showDone({ message, state = { status: "IDLE" } }) {
  showMessage(sentence(message));
  const now = model.status();
  done = { from: now === null ? null : keyOf(now.current_state), to: keyOf(state), reached: false };
}

/** Whether the state that a command brought about has come and gone. The page may hear of it later than of the answer. */
function isOver(now) {
  if (now === done.to) done.reached = true;
  return now !== done.to && (done.reached || now !== done.from);
}

function hideMessage() {
  done = null;
  setHidden(byId("message"), true);
}

function showMessage(text, refused = false) {
  done = null;
  const box = byId("message");
  setAttribute(box, "data-refused", refused ? "true" : null);
  setHidden(box, false);
  clearTimeout(hiding);
  if (!refused) hiding = setTimeout(() => { if (!box.contains(document.activeElement)) hideMessage(); }, DONE_SHOWN_MILLIS);
  const line = byId("message-text");
  // The same sentence twice is said twice: a live region speaks only when its text changes.
  line.textContent = "";
  requestAnimationFrame(() => { line.textContent = text; });
}
