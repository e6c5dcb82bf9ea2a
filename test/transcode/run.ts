import { parseArgs } from "node:util";
import { type Case, fileCases } from "./case.ts";
import { OWN_COMMAND, startGateway } from "./gateway-process.ts";
import { ownCases } from "./own-cases.ts";
import { groupCases, runCase, runGroup } from "./run-cases.ts";
import { startUpstream } from "./upstream.ts";

const USAGE = `Runs the transcoding cases against a gateway and prints what fails.
  node test/transcode/run.ts                                   this project's gateway
  node test/transcode/run.ts --gateway-cmd 'CMD'               any gateway; see README.md for the placeholders
  node test/transcode/run.ts --target URL --upstream-port N    one that runs already, with its upstream on N
  --only REGEX   cases whose id, area or class matches`;

const { values } = parseArgs({
  options: {
    "gateway-cmd": { type: "string" },
    target: { type: "string" },
    "upstream-port": { type: "string" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const only = new RegExp(values.only);
const cases = [...fileCases(), ...ownCases()].filter((one) =>
  [one.id, one.area, one.class].some((text) => only.test(text)),
);
const { failures, skipped } = values.target ? await againstTarget(values.target) : await againstCommand();
for (const [id, reasons] of failures) console.log(`FAIL ${id}: ${reasons.join("; ")}`);
console.log(`${cases.length - failures.size - skipped} of ${cases.length} passed, ${skipped} skipped`);
process.exitCode = failures.size > 0 ? 1 : 0;

async function againstCommand(): Promise<{ failures: Map<string, string[]>; skipped: number }> {
  const command = values["gateway-cmd"]?.split(/\s+/) ?? OWN_COMMAND;
  const failures = new Map<string, string[]>();
  for (const group of groupCases(cases))
    for (const [id, reasons] of await runGroup(group, (port, config) => startGateway(command, port, config)))
      failures.set(id, reasons);
  return { failures, skipped: 0 };
}

async function againstTarget(target: string): Promise<{ failures: Map<string, string[]>; skipped: number }> {
  const { hostname, port } = new URL(target);
  const upstream = await startUpstream(Number(values["upstream-port"] ?? 0));
  console.log(`upstream on 127.0.0.1:${upstream.port}`);
  const failures = new Map<string, string[]>();
  const fitting = cases.filter((one: Case) => one.http && !one.config);
  for (const [index, one] of fitting.entries()) {
    const address = { host: hostname, port: Number(port || 80) };
    const reasons = await runCase(one, address, upstream, fitting[index - 1]);
    if (reasons.length > 0) failures.set(one.id, reasons);
  }
  await upstream.close();
  return { failures, skipped: cases.length - fitting.length };
}
