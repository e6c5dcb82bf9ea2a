/**
 * The news of the system: GET /ticks, server-sent events, one a second. When the stream breaks the browser comes back
 * with the number of the last tick it saw, and gets those it missed. A window in the background gives its stream up
 * after a while (a browser has six connections to a port) and catches up when it is looked at again.
 */
const hiddenMs = 30_000;
/** Silence after which a stream counts as broken, in milliseconds: ticks come each second. */
const silenceMs = 5_000;
const retryMs = 1_000;

/**
 * @param {{ onTick: (tick: object) => void, onState: (state: ConnectionState) => void, onRestart: () => void }} hear
 *   `onRestart`: the dashboard has begun anew, what it said before is gone
 * @typedef {{ name: "connecting" | "live" | "lost" | "paused", missed: number }} ConnectionState
 *   `missed` counts ticks that were no longer kept when we came back
 */
export function followTicks({ onTick, onState, onRestart }) {
  let source;
  let last = 0;
  let missed = 0;
  let silence;
  let hiding;
  const say = (name) => onState({ name, missed });

  function open() {
    close();
    source = new EventSource(last > 0 ? `/ticks?after=${last}` : "/ticks");
    source.addEventListener("tick", ({ data }) => hear(JSON.parse(data)));
    source.addEventListener("error", () => {
      say("lost");
      // By itself the browser comes back only from broken connections, not from refusals.
      if (source?.readyState === EventSource.CLOSED) setTimeout(open, retryMs);
    });
    listen();
  }
  function close() {
    source?.close();
    source = undefined;
    clearTimeout(silence);
  }
  function listen() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      say("lost");
      open();
    }, silenceMs);
  }
  function hear(tick) {
    listen();
    const sequence = Number(tick.sequence);
    if (sequence === last) return;
    if (sequence < last) onRestart();
    else if (last > 0) missed += sequence - last - 1;
    last = sequence;
    say("live");
    onTick(tick);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (!document.hidden && !source) open();
    else if (document.hidden)
      hiding = setTimeout(() => {
        close();
        say("paused");
      }, hiddenMs);
  });
  say("connecting");
  open();
}
