// Looks a product up in the list of a market, by the place it has in the order of ids. Other than asking for the pair
// itself, this finds ids that begin alike, an id such as "..", which no URL path can hold, and is no error when it finds none.

import { getJson } from "./api.js";

/** Entries looked at from the product's place on: itself and a few that begin alike. */
const LOOKED_AT = 4;
const ID_BYTES_MAX = 512;
const LAST_CHARACTER = "\u{10FFFF}";

/** `{entry, similar}`: the entry of the product in this market, or null, and ids that begin with it. */
export async function entryOf(market, product, signal) {
  const path = `/api/prices/${encodeURIComponent(market)}`;
  let page;
  try {
    page = await getJson(path, { after: justBefore(product), limit: LOOKED_AT }, { signal });
  } catch (error) {
    // A market that was reset away in the meantime has no prices.
    if (error.status === 404) return { entry: null, similar: [] };
    throw error;
  }
  const entry = page.prices.find((candidate) => candidate.product_id === product) ?? null;
  const similar = page.prices.map((candidate) => candidate.product_id).filter((id) => id !== product && id.startsWith(product));
  return { entry, similar };
}

/** An id between the product and every id before it; ids are in the order of their code points. Null for the beginning. */
export function justBefore(product) {
  const characters = [...product];
  const last = characters.pop();
  const prefix = characters.join("");
  const before = predecessor(last?.codePointAt(0) ?? 0);
  if (before === null) return prefix === "" ? null : prefix;
  const close = prefix + String.fromCodePoint(before);
  const closest = close + LAST_CHARACTER;
  return new TextEncoder().encode(closest).length <= ID_BYTES_MAX ? closest : close;
}

/** The character before, leaving out what no id may contain: control characters and halves of pairs. */
function predecessor(codePoint) {
  if (codePoint <= 0x20) return null;
  if (codePoint >= 0x7f && codePoint <= 0xa0) return 0x7e;
  if (codePoint === 0xe000) return 0xd7ff;
  return codePoint - 1;
}
