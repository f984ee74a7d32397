// The page at /docs: draws /openapi.json. Whatever the document says goes in as text.

import { byId, element, replace, setHidden, setText } from "./dom.js";
import { schemaView } from "./docs-schema.js";

const MATCH_DELAY_MILLIS = 80;

let document_ = null;
/** What the filter shows and hides: `{text, nodes}`. */
const filtered = [];

async function draw() {
  const answer = await fetch("/openapi.json", { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status} for /openapi.json.`);
  document_ = await answer.json();
  setText(byId("title"), `${document_.info.title} ${document_.info.version}`);
  const main = [introduction()];
  const contents = [];
  for (const tag of document_.tags) {
    const { section, links } = group(tag);
    main.push(section);
    contents.push(element("section", {}, element("h2", {}, tag.name), element("ul", {}, ...links)));
  }
  const { section, links } = schemas();
  main.push(section);
  contents.push(element("section", {}, element("h2", {}, "Schemas"), element("ul", {}, ...links)));
  replace(byId("operations"), ...main);
  replace(byId("contents"), ...contents);
  show();
  goToAnchor();
}

function introduction() {
  const scheme = document_.components.securitySchemes.key;
  return element("section", { class: "docs-intro" },
    element("p", { class: "lead" }, document_.info.summary),
    element("p", {}, ...words(document_.info.description)),
    element("p", {}, element("strong", {}, "Keys. "), element("code", {}, "Authorization: Bearer KEY"), ". ", ...words(scheme.description)));
}

function group(tag) {
  const links = [];
  const cards = [];
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.tags[0] !== tag.name) continue;
      const card = operationCard(path, method, operation);
      const link = element("li", {}, element("a", { href: `#${operation.operationId}` }, methodBadge(method), element("span", { class: "path" }, path)));
      const named = (operation.parameters ?? []).map((parameter) => parameter.name).join(" ");
      filtered.push({ text: `${method} ${path} ${operation.operationId} ${operation.summary} ${named}`.toLowerCase(), nodes: [card, link] });
      cards.push(card);
      links.push(link);
    }
  }
  const id = `tag-${tag.name.toLowerCase().replaceAll(" ", "-")}`;
  return {
    links,
    section: element("section", { class: "docs-group", "aria-labelledby": id },
      element("h2", { id }, tag.name), element("p", { class: "help" }, tag.description), ...cards),
  };
}

function operationCard(path, method, operation) {
  const id = operation.operationId;
  const card = element("article", { id, class: "panel operation", "aria-labelledby": `${id}-heading`, tabindex: "-1" },
    element("h3", { id: `${id}-heading` }, methodBadge(method), element("code", { class: "path" }, path),
      element("a", { class: "anchor", href: `#${id}`, "aria-label": `Link to ${operation.summary}` }, "#")),
    element("p", { class: "summary" }, ...words(operation.summary)));
  if (operation.description) card.append(element("p", {}, ...words(operation.description)));
  if (operation.security.length > 0) {
    const needed = operation.security.length === 1;
    card.append(element("p", { class: "help" }, needed ? "Needs a key." : "Needs a key where keys are configured; here none is."));
  }
  if (operation.parameters) card.append(element("h4", {}, "Parameters"), parameters(operation.parameters));
  if (operation.requestBody) {
    const body = operation.requestBody.content["application/json"];
    card.append(element("h4", {}, "Body"), element("p", { class: "help" }, "Optional; JSON."), schemaView(document_, body.schema), example("Example", body.example));
  }
  card.append(element("h4", {}, "Answers"), ...Object.entries(operation.responses).map(([status, response]) => answerView(status, response)));
  return card;
}

const methodBadge = (method) => element("span", { class: `method method-${method}` }, method.toUpperCase());

function parameters(list) {
  return element("dl", { class: "members" }, ...list.flatMap((parameter) => [
    element("dt", {}, element("code", {}, parameter.name), element("span", { class: "tag" }, parameter.in),
      ...(parameter.required ? [element("span", { class: "tag warn" }, "required")] : [])),
    element("dd", {}, element("p", {}, ...words(parameter.description)), schemaView(document_, parameter.schema)),
  ]));
}

function answerView(status, response) {
  const shared = response.$ref !== undefined;
  const described = shared ? document_.components.responses[response.$ref.split("/").pop()] : response;
  const kind = status < 300 ? "good" : status < 400 ? "idle" : "bad";
  const summary = element("summary", {}, element("span", { class: `status status-${kind}` }, status), element("span", {}, ...words(described.description)));
  const parts = [];
  for (const [name, header] of Object.entries(described.headers ?? {})) {
    const text = header.$ref ? document_.components.headers[header.$ref.split("/").pop()] : header;
    parts.push(element("p", { class: "help" }, element("code", {}, name), ": ", ...words(text.description)));
  }
  for (const [type, content] of Object.entries(described.content ?? {})) {
    parts.push(element("p", { class: "media-type" }, element("code", {}, type)), schemaView(document_, content.schema));
    if (content.example !== undefined) parts.push(example("Example", content.example));
  }
  return parts.length === 0
    ? element("div", { class: "answer bare" }, ...summary.childNodes)
    : element("details", { class: "answer", open: !shared && status < 300 }, summary, ...parts);
}

function example(name, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return element("figure", { class: "example" }, element("figcaption", {}, name),
    element("pre", { tabindex: "0", "aria-label": "Example" }, element("code", {}, text)));
}

function schemas() {
  const links = [];
  const cards = Object.entries(document_.components.schemas).map(([name, schema]) => {
    const id = `schema-${name}`;
    const card = element("article", { id, class: "panel operation", "aria-labelledby": `${id}-heading`, tabindex: "-1" },
      element("h3", { id: `${id}-heading` }, element("code", {}, name), element("a", { class: "anchor", href: `#${id}`, "aria-label": `Link to ${name}` }, "#")),
      schemaView(document_, schema));
    const link = element("li", {}, element("a", { href: `#${id}` }, name));
    filtered.push({ text: `${name} ${Object.keys(schema.properties ?? {}).join(" ")}`.toLowerCase(), nodes: [card, link] });
    links.push(link);
    return card;
  });
  return { links, section: element("section", { class: "docs-group", "aria-labelledby": "tag-schemas" }, element("h2", { id: "tag-schemas" }, "Schemas"), ...cards) };
}

/** Text in which `code` between backticks is code. */
function words(text) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? element("code", {}, part) : part));
}

/** Shows what has every word of the filter, and the groups that have something to show. */
function show() {
  const wanted = byId("filter").value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  let shown = 0;
  for (const { text, nodes } of filtered) {
    const matches = wanted.every((word) => text.includes(word));
    shown += matches ? 1 : 0;
    for (const node of nodes) setHidden(node, !matches);
  }
  for (const section of document.querySelectorAll(".docs-group, #contents > section")) {
    setHidden(section, section.querySelector("article:not([hidden]), li:not([hidden])") === null);
  }
  setText(byId("found"), wanted.length === 0 ? "" : shown === 0 ? "Nothing is called so." : `${shown} found`);
}

/** Goes where the address points, now that it exists; what the filter hides there is shown again. */
function goToAnchor() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null || location.hash === "") return;
  if (target.closest("[hidden]")) {
    byId("filter").value = "";
    show();
  }
  target.scrollIntoView();
  target.focus({ preventScroll: true });
}

let waiting = 0;
byId("filter").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, MATCH_DELAY_MILLIS);
});
addEventListener("hashchange", goToAnchor);

draw().catch((error) => {
  setText(byId("failure"), `The description cannot be shown: ${error.message}`);
  setHidden(byId("failure"), false);
});
