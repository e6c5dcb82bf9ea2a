/**
 * Istio's own judgement of what we generate, without a cluster: its definitions and validator, its analyzer, and
 * istiod's translation to Envoy, held against the contract. Needs Go; the first run builds much of Istio.
 *
 *     npm run verify:istio
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { serveKeys } from "../one-policy/tokens.ts";
import { otherContracts, ownContract } from "./contracts.ts";

const here = import.meta.dirname;
const go = (...args: string[]) => spawnSync("go", args, { cwd: here, encoding: "utf8" });

/** Says why nothing was checked, and ends well: who has no Go can still develop. */
function skip(why: string): never {
  console.log(`skipped: ${why}`);
  process.exit(0);
}

const version = go("version");
if (version.error) skip("needs Go");
const modules = go("mod", "download");
if (modules.status !== 0) skip(`modules of ${join(here, "go.mod")} cannot be had: ${modules.stderr.trim()}`);

const source = go("list", "-m", "-f", "{{.Dir}}", "istio.io/istio").stdout.trim();
const keys = await serveKeys();
const folder = mkdtempSync(join(tmpdir(), "weft-istio-"));
try {
  const contracts = [ownContract(), ...otherContracts(folder, `http://127.0.0.1:${keys.port}/keys`)];
  for (const [index, contract] of contracts.entries())
    writeFileSync(join(folder, `${index}.json`), JSON.stringify(contract));
  // Istio's features are read from the environment when its packages load.
  const features = environmentOf(contracts[0]!.ambient.values, source);
  const tests = spawn("go", ["test", "-count=1", ...process.argv.slice(2), "."], {
    cwd: here,
    env: { ...process.env, ...features, WEFT_CONTRACTS: folder, ISTIO_SOURCE: source },
    stdio: "inherit",
  });
  const [code] = await once(tests, "exit");
  process.exitCode = code ?? 1;
} finally {
  rmSync(folder, { recursive: true });
  keys.stop();
}

/** What the Helm chart istiod sets for values of ours. */
function environmentOf(valuesFile: string, source: string): Record<string, string> {
  const { profile, env } = parse(readFileSync(valuesFile, "utf8"));
  const chart = join(source, "manifests/charts/istio-control/istio-discovery/files");
  const { pilot } = parse(readFileSync(join(chart, `profile-${profile}.yaml`), "utf8"));
  return { ...pilot.env, ...env };
}
