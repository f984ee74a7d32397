// The server's clock as seen from this browser: moments in answers are the server's, and theirs may be wrong here.

/** Differences below this are the resolution of the Date header, not a wrong clock. */
const NOTICEABLE_MILLIS = 2_000;

let offsetMillis = 0;

/** Learns from the Date header of an answer. */
export function noteServerDate(header) {
  const at = Date.parse(header ?? "");
  if (!Number.isFinite(at)) return;
  // The header is cut to whole seconds; half a second is its expected loss.
  const difference = at + 500 - Date.now();
  offsetMillis = Math.abs(difference) < NOTICEABLE_MILLIS ? 0 : difference;
}

/** The server's now, in milliseconds since the epoch. */
export const serverNow = () => Date.now() + offsetMillis;

/** A moment of the server as a Date of this browser's clock; null when it is no moment. */
export function toBrowserTime(moment) {
  const at = typeof moment === "number" ? moment : Date.parse(moment ?? "");
  return Number.isFinite(at) ? new Date(at - offsetMillis) : null;
}
