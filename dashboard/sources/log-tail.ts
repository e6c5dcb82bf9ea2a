/**
 * Follows the log files of a folder: what was written since the last look, whole lines only. The runner rotates
 * them: a file that got another inode was moved to FILE.1, whose rest is read first.
 */
import type { FileHandle } from "node:fs/promises";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { parseLine, type StoredLine } from "./log-line.ts";

/** Bytes of each file that are read when it is seen first: what was written before the dashboard began. */
const firstBytes = 256 * 1024;
/** Bytes of one file that are read at once; a file that grows faster is read in turns. */
const atOnce = 4 * 1024 * 1024;

interface Followed {
  inode: number;
  offset: number;
  rest: string;
  decoder: StringDecoder;
}

export class LogTail {
  readonly #folder: string;
  readonly #files = new Map<string, Followed>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Lines since the last look, in order of their times. A folder that is not there has none. */
  async read(): Promise<Omit<StoredLine, "position">[]> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith(".log"));
    const lines = (await Promise.all(names.map((name) => this.#readFile(name).catch(() => [])))).flat();
    return lines.sort((a, b) => a.time - b.time);
  }

  async #readFile(name: string): Promise<Omit<StoredLine, "position">[]> {
    const path = join(this.#folder, name);
    const { ino, size } = await stat(path);
    const known = this.#files.get(name);
    const chunks: string[] = [];
    if (known && known.inode !== ino) {
      const moved = await stat(`${path}.1`).catch(() => undefined);
      if (moved?.ino === known.inode) chunks.push(await readOn(`${path}.1`, known));
    }
    if (!known || known.inode !== ino || size < known.offset) {
      const offset = known ? 0 : Math.max(0, size - firstBytes);
      const file = { inode: ino, offset, rest: "", decoder: new StringDecoder("utf8") };
      this.#files.set(name, file);
      const text = size > offset ? await readOn(path, file) : "";
      // Begun in the midst of a line.
      chunks.push(offset > 0 ? text.slice(text.indexOf("\n") + 1) : text);
    } else if (size > known.offset) {
      chunks.push(await readOn(path, known));
    }
    const readAt = Date.now();
    const process = name.slice(0, -".log".length);
    return chunks
      .join("")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => parseLine(process, line, readAt));
  }
}

/** Whole lines from the offset on; what is no whole line yet waits. */
async function readOn(path: string, file: Followed): Promise<string> {
  const handle = await open(path, "r");
  try {
    const bytes = await readAt(handle, file.offset);
    file.offset += bytes.length;
    const text = file.rest + file.decoder.write(bytes);
    const end = text.lastIndexOf("\n") + 1;
    file.rest = text.slice(end).slice(0, 65_536);
    return text.slice(0, end);
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, offset: number): Promise<Buffer> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(atOnce, Math.max(0, size - offset)));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
  return buffer.subarray(0, bytesRead);
}
