import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A log file that never outgrows its disk: at maxBytes it becomes FILE.1, FILE.1
 * becomes FILE.2, and the oldest goes.
 */
export type RotatingLog = {
  write(chunk: Buffer | string): void;
  close(): void;
};

/**
 * Opens a log for appending, readable by its owner only.
 *
 * @param limits.maxBytes size at which a new file begins; a line is not cut for it
 * @param limits.files how many are kept, the current one included
 */
export function openRotatingLog(file: string, { maxBytes = 10 * 1024 ** 2, files = 3 } = {}): RotatingLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let descriptor = openSync(file, "a", 0o600);
  let size = fstatSync(descriptor).size;
  let wholeLine = true;
  let closed = false;

  const rotate = () => {
    closeSync(descriptor);
    rmSync(numbered(file, files - 1), { force: true });
    for (let age = files - 2; age >= 0; age--) renameIfThere(numbered(file, age), numbered(file, age + 1));
    descriptor = openSync(file, "a", 0o600);
    size = 0;
  };
  return {
    write(chunk) {
      if (closed) return; // the last words of a process may come after its end
      const bytes = Buffer.from(chunk as string);
      if (size >= maxBytes && wholeLine) rotate();
      writeSync(descriptor, bytes);
      size += bytes.length;
      wholeLine = bytes.length === 0 ? wholeLine : bytes.at(-1) === 10;
    },
    close() {
      if (!closed) closeSync(descriptor);
      closed = true;
    },
  };
}

function numbered(file: string, age: number): string {
  return age === 0 ? file : `${file}.${age}`;
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
