// The API key of this tab: asked for once, kept until the tab is closed, sent as a header only.

const NAME = "halftime.key";
const FORM = /^htf[a-z2-7]{12}_[A-Za-z0-9_-]{43}$/;
const SUBPROTOCOL = "halftime.v1";

/** The service refuses the key, or asks for one; the message says which. */
export class Refused extends Error {}

/** The service did not answer with what was asked for; `status` is that of HTTP. */
export class Failed extends Error {
  constructor(path, status) {
    super(`${path}: ${status}`);
    this.status = status;
  }
}

/** Whether a text has the form of a key. */
export function looksLikeKey(text) {
  return FORM.test(text);
}

/** Asks the service in the name of this tab's key; `storage` is the tab's, `ask` is `fetch`. */
export class Session {
  constructor({ storage, ask }) {
    this.ask = ask;
    this.storage = storage;
    this.key = this.#stored();
  }

  keep(key) {
    this.key = key;
    this.#store((storage) => storage.setItem(NAME, key));
  }

  forget() {
    this.key = null;
    this.#store((storage) => storage.removeItem(NAME));
  }

  /** The answer as JSON; throws Refused where the key is not enough, else Failed. */
  async fetchJson(path, method = "GET") {
    const headers = { accept: "application/json" };
    if (this.key) headers.authorization = `Bearer ${this.key}`;
    const answer = await this.ask(path, { method, headers, credentials: "omit" });
    if (answer.status === 401 || answer.status === 403) throw new Refused(await reason(answer));
    if (!answer.ok) throw new Failed(path, answer.status);
    return answer.json();
  }

  /** What a WebSocket offers: nothing without a key, else a ticket, which is good once. */
  protocols() {
    if (!this.key) return [];
    return this.fetchJson("tickets", "POST").then(({ ticket }) => [
      SUBPROTOCOL,
      `ticket.${ticket}`,
    ]);
  }

  // Where the browser keeps nothing for this page, the key lives as long as the page.
  #stored() {
    try {
      return this.storage.getItem(NAME);
    } catch {
      return null;
    }
  }

  #store(change) {
    try {
      change(this.storage);
    } catch {
      // It is kept in `key`.
    }
  }
}

async function reason(answer) {
  try {
    const { title, detail } = await answer.json();
    return `${title}: ${detail}`;
  } catch {
    return `The service answered ${answer.status}.`;
  }
}
