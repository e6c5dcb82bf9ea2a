import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./compile.ts";

/** What redocly, with the rules of redocly.yaml, has to say about OpenAPI documents. */
export function lint(files: readonly string[]): string[] {
  const config = join(import.meta.dirname, "../redocly.yaml");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/.bin/redocly"), "lint", "--config", config, "--format", "json", ...files],
    {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    },
  );
  // One indented JSON object a file, one after the other.
  const reports = stdout.trim().split(/(?<=^\})(?=\{)/m);
  if (reports.length !== files.length) throw new Error(`redocly gave ${reports.length} reports: ${stderr}`);
  const problems = reports.flatMap((report) => (JSON.parse(report) as { problems: Problem[] }).problems);
  return problems.map(
    ({ severity, ruleId, message, location: [place] }) =>
      `${severity} ${ruleId}: ${message} at ${place?.source.ref}${place?.pointer ?? ""}`,
  );
}

interface Problem {
  severity: string;
  ruleId: string;
  message: string;
  location: { pointer?: string; source: { ref: string } }[];
}
