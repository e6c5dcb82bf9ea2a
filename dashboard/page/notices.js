/** What was done, said once: to the eye for a few seconds, to a screen reader politely. */
const shownMs = 6_000;

export class Notices {
  current;
  #timer;

  /** @param {() => void} redraw */
  constructor(redraw) {
    this.redraw = redraw;
  }

  say(text, tone = "good") {
    this.current = { text, tone };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.current = undefined;
      this.redraw();
    }, shownMs);
    this.redraw();
  }

  /** Says how a task ends. @returns what it gave, or undefined when it failed */
  async tell(done, task) {
    try {
      const result = await task;
      this.say(done);
      return result;
    } catch (error) {
      this.say(error.message, "bad");
      return undefined;
    }
  }
}
