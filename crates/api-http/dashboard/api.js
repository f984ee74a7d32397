// Requests to the server: the API key, problem documents as errors, and a place to ask for a key.

import { noteServerDate } from "./clock.js";

const KEY_NAME = "price-cache-api-key";

/** An answer that is not a success, or none at all (status 0). Its message is the server's own sentence. */
export class ApiError extends Error {
  constructor(status, message, retryAfterSeconds = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

let askForKey = async () => false;

/** Who asks the person for a key: `ask(sentence)` answers true once one was stored. */
export function onKeyNeeded(ask) {
  askForKey = ask;
}

/** The key of this tab, or null. */
export const storedKey = () => sessionStorage.getItem(KEY_NAME);

/** Keeps the key until the tab is closed; null forgets it. */
export function storeKey(key) {
  if (key === null) sessionStorage.removeItem(KEY_NAME);
  else sessionStorage.setItem(KEY_NAME, key);
}

/** The answer to a request, once it is a success. Asks for a key on 401 and then tries again. */
export async function request(path, { method = "GET", body, headers = {}, signal } = {}) {
  for (;;) {
    const key = storedKey();
    const sent = { Accept: "application/json", ...headers };
    if (key !== null) sent.Authorization = `Bearer ${key}`;
    if (body !== undefined) sent["Content-Type"] = "application/json";
    const answer = await send(path, {
      method, signal, headers: sent, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", credentials: "same-origin", redirect: "error",
    });
    noteServerDate(answer.headers.get("Date"));
    if (answer.ok) return answer;
    const problem = await problemOf(answer);
    // Another request may have got the key in the meantime.
    if (answer.status === 401 && (storedKey() !== key || (await askForKey(problem.message)))) continue;
    throw problem;
  }
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "The server does not answer. It may be stopped or restarting.");
  }
}

async function problemOf(answer) {
  let message = `The server answered ${answer.status} ${answer.statusText}`.trim();
  try {
    const problem = await answer.json();
    message = problem.detail || problem.error || problem.title || message;
  } catch {
    // Not a problem document, as from a proxy in between; the status has to do.
  }
  const retryAfter = Number(answer.headers.get("Retry-After"));
  return new ApiError(answer.status, message, Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null);
}

/** The JSON of an answer. */
export async function getJson(path, parameters = {}, options = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return (await request(text === "" ? path : `${path}?${text}`, options)).json();
}

/** Sends a command and answers its JSON. */
export async function post(path, body) {
  return (await request(path, { method: "POST", body })).json();
}
