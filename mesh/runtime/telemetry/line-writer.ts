import { writeSync } from "node:fs";

/** Most characters that wait for the end of the turn. */
const FULL = 64 * 1024;

/**
 * Writes whole lines to a file descriptor, all lines of one turn of the event loop at once: a system call
 * for each line costs more than making it. What waits is written on exit, too.
 * @param fd a file or a pipe; 1 is standard output
 */
export function lineWriter(fd = 1): (line: string) => void {
  let waiting = "";
  // The same bytes for all turns: new ones for each would cost more than the writing.
  const bytes = Buffer.allocUnsafeSlow(FULL * 2);
  const flush = (): void => {
    const lines = waiting;
    waiting = "";
    if (lines.length * 3 > bytes.length) return writeAll(fd, Buffer.from(lines));
    writeAll(fd, bytes.subarray(0, bytes.write(lines)));
  };
  process.on("exit", flush);
  return (line) => {
    if (waiting === "") setImmediate(flush);
    waiting += line;
    if (waiting.length > FULL) flush();
  };
}

/** A pipe whose reader is slow takes a part or nothing; its reader gone is no reason to fail a request. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(fd, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

let lastMs = 0;
let lastText = "";

/** The time in the form of the logger (RFC 3339); made once a millisecond. */
export function timeForLog(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}
