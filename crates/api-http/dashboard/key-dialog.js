// Asks for the API key once, however many requests wait for it.

import { storeKey, storedKey } from "./api.js";
import { byId, setHidden, setText } from "./dom.js";
import { sentence as inWords } from "./format.js";

const dialog = byId("key-dialog");
const input = byId("key-input");
let waiting = null;
let declined = false;
let afterwards = () => {};

/** For the first 401: answers true once a key was given. A person who said no is not asked again until `askAgain`. */
export function askForKey(sentence) {
  if (declined) return Promise.resolve(false);
  waiting ??= new Promise((resolve) => {
    setText(byId("key-sentence"), storedKey() === null ? inWords(sentence) : `The key that was given is not accepted. ${inWords(sentence)}`);
    input.value = "";
    dialog.addEventListener("close", () => {
      waiting = null;
      const given = dialog.returnValue === "given";
      declined = !given;
      resolve(given);
      if (given) afterwards();
    }, { once: true });
    dialog.returnValue = "";
    dialog.showModal();
    input.focus();
  });
  return waiting;
}

/** For the button beside "locked": asks although the person declined before. */
export function askAgain(sentence) {
  declined = false;
  return askForKey(sentence);
}

/** What to do once a key was given. */
export function onKeyGiven(then) {
  afterwards = then;
}

function showForget() {
  setHidden(byId("forget-key"), storedKey() === null);
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  // Keys have no spaces around them, but what is pasted often has.
  storeKey(input.value.trim());
  input.value = "";
  showForget();
  dialog.close("given");
});
byId("key-cancel").addEventListener("click", () => dialog.close(""));
byId("forget-key").addEventListener("click", () => {
  storeKey(null);
  location.reload();
});
showForget();
