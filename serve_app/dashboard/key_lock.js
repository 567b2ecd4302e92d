// The form that asks for a key, where the service wants one.

import { looksLikeKey, Refused } from "./session.js";

const byId = (id) => document.getElementById(id);

/** Shown with `ask`; a key that the service takes ends it, and `onOpen` is called. */
export class KeyLock {
  constructor({ session, onOpen, onForget }) {
    this.session = session;
    this.onOpen = onOpen;
    byId("lock").addEventListener("submit", (event) => this.#try(event));
    byId("forget").addEventListener("click", onForget);
    byId("forget").hidden = !session.key;
  }

  get isShown() {
    return !byId("lock").hidden;
  }

  /** Ask for a key; `reason` is why the one before was refused, or empty. */
  ask(reason) {
    byId("lock").hidden = false;
    byId("forget").hidden = true;
    this.#tell(reason);
    byId("key").focus();
  }

  #tell(reason) {
    byId("lock-reason").textContent = reason;
    byId("key").setAttribute("aria-invalid", String(reason !== ""));
  }

  async #try(event) {
    event.preventDefault();
    const key = byId("key").value.trim();
    if (!looksLikeKey(key)) {
      this.#tell("This is no API key: one begins with htf and is 59 characters long.");
      return;
    }
    this.session.keep(key);
    try {
      await this.session.fetchJson("models");
    } catch (error) {
      this.session.forget();
      const away = "The service does not answer now. Try again in a moment.";
      this.#tell(error instanceof Refused ? error.message : away);
      return;
    }
    byId("key").value = "";
    this.#tell("");
    byId("lock").hidden = true;
    byId("forget").hidden = false;
    this.onOpen();
  }
}
