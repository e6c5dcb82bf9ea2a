import { styleText } from "node:util";

/** What the reader of the terminal sees. Plain lines where it is not a terminal. */
export type Output = {
  /** Something is done: "✓ name  detail  0.4 s". */
  done(name: string, detail: string, milliseconds?: number): void;
  /** Worth knowing, not wrong. */
  note(text: string): void;
  /** Wrong, but the system goes on. */
  warn(text: string): void;
  /** Wrong, and the system does not go on. */
  fail(text: string): void;
  plain(text: string): void;
  /** What is being waited for; shown in place on a terminal only. "" clears it. */
  waiting(text: string): void;
};

/** Output on a stream. */
export function createOutput(stream: NodeJS.WriteStream): Output {
  const live = stream.isTTY === true;
  const colour = (name: "green" | "yellow" | "red" | "dim", text: string) =>
    styleText(name, text, { stream });
  let waiting = "";
  const line = (text: string) => {
    if (waiting) stream.write("\r\x1b[K");
    stream.write(`${text}\n`);
    if (waiting) stream.write(waiting);
  };
  return {
    done(name, detail, milliseconds) {
      const time = milliseconds === undefined ? "" : `  ${colour("dim", seconds(milliseconds))}`;
      line(`${colour("green", "✓")} ${name.padEnd(12)} ${detail}${time}`);
    },
    note: (text) => line(`  ${text}`),
    warn: (text) => line(`${colour("yellow", "!")} ${text}`),
    fail: (text) => line(`${colour("red", "✗")} ${text}`),
    plain: (text) => line(text),
    waiting(text) {
      if (!live) return;
      if (waiting) stream.write("\r\x1b[K");
      waiting = text && colour("dim", `… ${text}`);
      if (waiting) stream.write(waiting);
    },
  };
}

/** Milliseconds as "0.4 s". */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
