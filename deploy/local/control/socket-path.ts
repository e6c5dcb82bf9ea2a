import { createHash } from "node:crypto";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Longest path of a Unix socket that every system takes, in bytes (sun_path of macOS less the NUL). */
const longest = 103;

/**
 * Where the runner of a data folder listens for commands: `run/control.sock` in the folder, which only its owner may
 * enter. A folder with too long a path has it in a folder of the user's own under the system's temporary one.
 *
 * @param dataDir absolute path
 */
export function controlSocket(dataDir: string): { folder: string; path: string } {
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  if (process.platform === "win32") return { folder: "", path: `\\\\.\\pipe\\weft-${hash}` };
  const folder = join(dataDir, "run");
  const path = join(folder, "control.sock");
  if (Buffer.byteLength(path) <= longest) return { folder, path };
  const elsewhere = join(tmpdir(), `weft-${userInfo().uid}-${hash}`);
  return { folder: elsewhere, path: join(elsewhere, "control.sock") };
}
