// Runs in the page before its own scripts: remembers which ticks the browser was given, as they came.
globalThis.heardTicks = [];
globalThis.EventSource = class extends EventSource {
  constructor(url) {
    super(url);
    this.addEventListener("tick", ({ lastEventId }) => globalThis.heardTicks.push(Number(lastEventId)));
  }
};
