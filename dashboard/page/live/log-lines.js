/** Log lines that match a filter: the newest first of all, older ones when asked for, new ones as they come. */
import { call } from "../api.js";

/** Most lines the page holds; the dashboard itself keeps as many. */
const most = 100_000;
/** Most lines while they are followed, overnight too; older ones are asked for again when somebody scrolls to them. */
const mostFollowed = 20_000;
const page = 500;
/** Most lines that one tick brings: what is more comes with the next ones. */
const batch = 5_000;

export class LogLines {
  lines = [];
  /** Lines that the dashboard dropped because newer ones came. */
  dropped = 0;
  hasOlder = false;
  problem;
  #through = 0;
  #busy = false;
  #ended = new AbortController();

  /** @param {object} filter weft.dashboard.v1.LogFilter */
  constructor(filter) {
    this.filter = filter;
  }

  end() {
    this.#ended.abort();
  }

  open() {
    return this.#once(async () => {
      const reply = await this.#ask({ limit: page });
      this.lines = reply.lines ?? [];
      this.#through = Number(reply.through ?? 0);
      this.hasOlder = this.lines.length >= page;
    });
  }

  /** @returns how many lines were added before the others */
  async older() {
    if (!this.hasOlder || this.lines.length >= most) return 0;
    let added = 0;
    await this.#once(async () => {
      const { lines = [] } = await this.#ask({ before: this.lines[0].position, limit: page });
      this.lines = [...lines, ...this.lines];
      this.hasOlder = lines.length >= page;
      added = lines.length;
    });
    return added;
  }

  /** @param {number} last newest position there is */
  newer(last) {
    if (last <= this.#through) return undefined;
    // After 0 the newest would come: an empty store is opened again.
    if (this.#through === 0) return this.open();
    return this.#once(async () => {
      const { lines = [], through } = await this.#ask({ after: String(this.#through), limit: batch });
      this.#through = Number(through);
      if (lines.length === 0) return;
      const all = [...this.lines, ...lines];
      this.lines = all.slice(-mostFollowed);
      if (all.length > mostFollowed) this.hasOlder = true;
    });
  }

  async #ask(range) {
    const reply = await call("ListLogs", { filter: this.filter, ...range }, this.#ended.signal);
    this.dropped = Number(reply.dropped ?? 0);
    this.problem = undefined;
    return reply;
  }

  async #once(task) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await task();
    } catch (error) {
      if (!this.#ended.signal.aborted) this.problem = error;
    } finally {
      this.#busy = false;
    }
  }
}
