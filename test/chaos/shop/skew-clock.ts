import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Debian's package libfaketime puts it, by processor. */
const libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(
  (folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`,
);

/** Why a clock cannot be skewed here; undefined when it can. */
export function cannotSkewClocks(): string | undefined {
  return libraries.some((file) => existsSync(file))
    ? undefined
    : "needs libfaketime (Debian: apt install libfaketime)";
}

/** Clocks of processes that can be put forward and back while they run. Timers go on as before. */
export class Clocks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  }

  /** Settings for a process, whose clock is then right until it is skewed. */
  environmentOf(process: string): Record<string, string> {
    this.skew(process, 0);
    return {
      LD_PRELOAD: libraries.find((file) => existsSync(file))!,
      FAKETIME_TIMESTAMP_FILE: join(this.#folder, process),
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_DONT_RESET: "1",
    };
  }

  /** Takes effect within a second. */
  skew(process: string, seconds: number): void {
    writeFileSync(join(this.#folder, process), `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }
}
