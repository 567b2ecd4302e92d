// The WebSocket of the live feed, which heals by itself.

const FIRST_RETRY_MILLISECONDS = 500;
const LONGEST_RETRY_MILLISECONDS = 15_000;
const SNAPSHOT_MILLISECONDS = 10_000;
const STEADY_MILLISECONDS = 5_000;
const FLAPPING_ATTEMPTS = 2;
const OPENINGS = ["snapshot", "resumed"];

/**
 * One socket at a time; a lost one is replaced after a pause that doubles, with jitter.
 *
 * `live` from the message on with which a connection begins: a snapshot, and where the last message
 * of the one before is still known, `resumed`, with all that came since. `onMessage` gets each message,
 * `onState` gets `live` or `lost`. `protocols` gives what the next socket offers, or a promise of
 * it; one that is broken counts as a lost socket.
 */
export class Link {
  constructor(url, { onMessage, onState, protocols = () => [] }) {
    this.url = url;
    this.protocols = protocols;
    this.resting = false;
    this.onMessage = onMessage;
    this.onState = onState;
    this.attempts = 0;
    this.live = false;
    this.heard = 0;
    this.seq = null;
    this.socket = null;
  }

  open() {
    clearTimeout(this.retry);
    clearTimeout(this.guard);
    this.resting = false;
    this.opened = Date.now();
    const old = this.socket;
    const offered = this.protocols();
    if (Array.isArray(offered)) this.#connect(offered);
    else this.#connectWith(offered);
    old?.close();
  }

  /** Stay away until `open` is called. */
  rest() {
    this.resting = true;
    this.live = false;
    this.seq = null;
    clearTimeout(this.retry);
    clearTimeout(this.guard);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  #connectWith(promised) {
    const waiting = { close() {} };
    this.socket = waiting;
    promised.then(
      (offered) => {
        if (waiting === this.socket) this.#connect(offered);
      },
      () => this.#lose(waiting),
    );
  }

  #connect(offered) {
    const address = new URL(this.url);
    if (this.seq !== null) address.searchParams.set("since", this.seq);
    const socket = new WebSocket(address, offered);
    this.socket = socket;
    socket.addEventListener("message", (event) => this.#hear(socket, event.data));
    socket.addEventListener("close", () => this.#lose(socket));
    this.guard = setTimeout(() => this.#lose(socket), SNAPSHOT_MILLISECONDS);
  }

  /** Connect anew where nothing was heard for so long: a link can die without a word. */
  check(allowedSilence) {
    if (this.live && Date.now() - Math.max(this.heard, this.opened) > allowedSilence) this.open();
  }

  /** Try at once instead of at the end of the present pause. */
  hurry() {
    if (!this.socket && !this.resting) this.open();
  }

  #hear(socket, text) {
    if (socket !== this.socket) return;
    this.heard = Date.now();
    const message = JSON.parse(text);
    const opens = OPENINGS.includes(message.type);
    if (opens) {
      clearTimeout(this.guard);
      this.live = true;
    }
    this.onMessage(message);
    this.seq = message.seq;
    if (opens) this.onState("live");
  }

  #lose(socket) {
    if (socket !== this.socket) return;
    clearTimeout(this.guard);
    this.socket = null;
    // A service that answers and soon fails again is not hurried by its answers.
    const steady = Date.now() - this.opened > STEADY_MILLISECONDS;
    if (this.live) this.attempts = steady ? 0 : Math.min(this.attempts, FLAPPING_ATTEMPTS);
    this.live = false;
    socket.close();
    const longest = Math.min(
      FIRST_RETRY_MILLISECONDS * 2 ** this.attempts,
      LONGEST_RETRY_MILLISECONDS,
    );
    this.attempts += 1;
    this.retry = setTimeout(() => this.open(), longest * (0.5 + Math.random() / 2));
    this.onState("lost");
  }
}
