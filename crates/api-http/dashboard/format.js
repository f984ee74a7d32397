// Numbers, durations and moments as an operator reads them.

import { serverNow, toBrowserTime } from "./clock.js";

const wholeNumbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const DASH = "–";

/** 12,345 */
export const count = (value) => (Number.isFinite(value) ? wholeNumbers.format(value) : DASH);

/** "1 product", "12 products" */
export const plural = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** 99.4 %, never rounded to 100 (or 0) while something is missing (or done). */
export function percent(value) {
  if (!Number.isFinite(value)) return DASH;
  if (value <= 0) return "0 %";
  if (value >= 100) return "100 %";
  return `${oneDigit.format(Math.min(99.9, Math.max(0.1, value)))} %`;
}

/** Per second, or per minute where that would be a fraction. */
export function rate(perSecond) {
  if (!Number.isFinite(perSecond)) return DASH;
  if (perSecond === 0) return "0 /s";
  if (perSecond < 1) return `${oneDigit.format(perSecond * 60)} /min`;
  return perSecond < 10 ? `${oneDigit.format(perSecond)} /s` : `${count(perSecond)} /s`;
}

/** 81 ms, 2.4 s */
export function milliseconds(value) {
  if (!Number.isFinite(value)) return DASH;
  return value < 1000 ? `${value > 0 && value < 10 ? oneDigit.format(value) : count(value)} ms` : `${oneDigit.format(value / 1000)} s`;
}

/** 45 s, 12 min, 3 h 05 min, 2 d 4 h */
export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return DASH;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "9–16 min", or null where both ends read the same. */
export function durationRange(low, high) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return null;
  const [from, to] = [duration(low), duration(high)];
  if (from === to) return null;
  const [fromUnit, toUnit] = [from.split(" ").slice(1).join(" "), to.split(" ").slice(1).join(" ")];
  return fromUnit === toUnit && !/\d/.test(fromUnit) ? `${from.split(" ")[0]}–${to}` : `${from} – ${to}`;
}

/** The clock time of a server's moment in this browser's clock and zone: 17:48, with the day when it is another one. */
export function clock(moment, withSeconds = false) {
  const date = toBrowserTime(moment);
  if (date === null) return DASH;
  if (date.toDateString() !== new Date().toDateString()) return dayAndTime.format(date);
  return (withSeconds ? clockSeconds : clockTime).format(date);
}

/** How long ago (or until) a server's moment is, in seconds; negative in the past. */
export function secondsUntil(moment) {
  const at = Date.parse(moment ?? "");
  return Number.isFinite(at) ? (at - serverNow()) / 1000 : NaN;
}

/** not_found -> "Not found" */
export function words(name) {
  const text = String(name).replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A sentence for a person: a capital first, a full stop last. */
export function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (trimmed === "") return "";
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
