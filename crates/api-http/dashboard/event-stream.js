// Server-Sent Events over fetch, because EventSource cannot send an Authorization header.

import { request } from "./api.js";

/** Text held back without an end of line at most; a status of many markets is one long line. */
const PENDING_CHARACTERS_MAX = 16 * 1024 * 1024;

/** Splits text that arrives in pieces into events; comments are reported as signs of life only. */
export class EventParser {
  #pending = "";
  #data = [];
  #name = "";
  /** The id of the latest event, for Last-Event-ID. */
  lastId = "";

  constructor(onEvent) {
    this.onEvent = onEvent;
  }

  push(text) {
    this.#pending += text;
    let begin = 0;
    for (;;) {
      const end = this.#pending.indexOf("\n", begin);
      if (end < 0) break;
      const last = end > begin && this.#pending[end - 1] === "\r" ? end - 1 : end;
      this.#line(this.#pending.slice(begin, last));
      begin = end + 1;
    }
    this.#pending = this.#pending.slice(begin);
    if (this.#pending.length > PENDING_CHARACTERS_MAX) throw new Error("an event has no end");
  }

  #line(line) {
    if (line === "") {
      if (this.#data.length > 0) this.onEvent(this.#name || "message", this.#data.join("\n"));
      this.#data = [];
      this.#name = "";
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
  }
}

/** Reads events until the stream ends or `signal` aborts; `onOpen` when the server has agreed, `onAlive` for any bytes. */
export async function readEvents(path, { lastId, signal, onOpen, onAlive, onEvent, onId }) {
  const headers = { Accept: "text/event-stream" };
  if (lastId !== "") headers["Last-Event-ID"] = lastId;
  const answer = await request(path, { headers, signal });
  onOpen();
  const parser = new EventParser(onEvent);
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onAlive();
      parser.push(decoder.decode(value, { stream: true }));
      if (parser.lastId !== "") onId(parser.lastId);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
