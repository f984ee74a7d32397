// Tabs as the ARIA pattern has them: arrow keys move, the panel follows.

import { byId, setAttribute, setHidden } from "./dom.js";

const tabs = [...document.querySelectorAll("[role=tab]")];
const listeners = [];

/** Calls back with the name of the tab that is now open. */
export function onTab(listener) {
  listeners.push(listener);
}

/** The name of the open tab: failures, log, search or history. */
export const openTab = () => nameOf(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));

/** Opens a tab by name. */
export function selectTab(name, focus = false) {
  for (const tab of tabs) {
    const selected = nameOf(tab) === name;
    setAttribute(tab, "aria-selected", selected ? "true" : "false");
    setAttribute(tab, "tabindex", selected ? null : "-1");
    setHidden(byId(tab.getAttribute("aria-controls")), !selected);
    if (!selected) continue;
    // On a narrow screen the strip of tabs scrolls.
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (focus) tab.focus();
  }
  for (const listener of listeners) listener(name);
}

const nameOf = (tab) => tab.id.replace("tab-", "");

for (const [index, tab] of tabs.entries()) {
  tab.addEventListener("click", () => selectTab(nameOf(tab)));
  tab.addEventListener("keydown", (event) => {
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    selectTab(nameOf(tabs[to % tabs.length]), true);
  });
}
