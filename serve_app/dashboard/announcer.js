// New forecasts as they are spoken: the first soon, those that come meanwhile together.

const FIRST_WORD_MILLISECONDS = 500;
const PAUSE_MILLISECONDS = 4_000;

/** Says texts in a live region, one sentence at a time. */
export class Announcer {
  constructor(node) {
    this.node = node;
    this.unsaid = [];
    this.speaking = null;
  }

  say(text) {
    this.unsaid.push(text);
    this.speaking ??= setTimeout(() => this.#speak(), FIRST_WORD_MILLISECONDS);
  }

  /** Say nothing of what was to be said, and leave nothing of what was. */
  forget() {
    clearTimeout(this.speaking);
    this.speaking = null;
    this.unsaid.length = 0;
    this.node.textContent = "";
  }

  #speak() {
    const latest = this.unsaid.at(-1);
    const others = this.unsaid.length - 1;
    this.node.textContent =
      others === 0 ? latest : `${others + 1} new forecasts. The latest: ${latest}`;
    this.unsaid.length = 0;
    this.speaking = setTimeout(() => {
      this.speaking = null;
      if (this.unsaid.length > 0) this.#speak();
    }, PAUSE_MILLISECONDS);
  }
}
