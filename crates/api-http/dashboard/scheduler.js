// When to draw: what changed is collected and drawn in animation frames, at most four times a second, never in a hidden page.

const INTERVAL_MILLIS_MIN = 250;
/** Texts with a "in 12 s" go on without news from the server. */
const TICK_MILLIS = 1_000;

const views = new Set();
const dirty = new Set();
let lastDrawn = 0;
let timer = null;
let frame = null;

/** Registers a drawing function; it is drawn after `mark(view)`, and each second when `ticks`. */
export function view(draw, { ticks = false } = {}) {
  const registered = { draw, ticks };
  views.add(registered);
  return registered;
}

/** Says that a view is out of date. */
export function mark(registered) {
  dirty.add(registered);
  schedule();
}

function schedule() {
  if (timer !== null || frame !== null || dirty.size === 0 || document.hidden) return;
  const wait = Math.max(0, lastDrawn + INTERVAL_MILLIS_MIN - performance.now());
  timer = setTimeout(() => {
    timer = null;
    frame = requestAnimationFrame(drawAll);
  }, wait);
}

function drawAll() {
  frame = null;
  lastDrawn = performance.now();
  const now = [...dirty];
  dirty.clear();
  for (const registered of now) {
    try {
      registered.draw();
    } catch (error) {
      // A mistake in one view must not freeze the others; it is still seen in the console.
      reportError(error);
    }
  }
  schedule();
}

setInterval(() => {
  if (document.hidden) return;
  for (const registered of views) if (registered.ticks) mark(registered);
}, TICK_MILLIS);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(timer);
    timer = null;
    return;
  }
  for (const registered of views) dirty.add(registered);
  schedule();
});
