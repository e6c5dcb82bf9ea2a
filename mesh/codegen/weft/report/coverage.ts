/** The coverage report: a table of options and targets, and what in this contract only processes enforce. */
import type { Contract, MeshMethod } from "../contract/model.ts";
import type { GeneratedFile } from "../output/generated-file.ts";
import { headerOfAll } from "../output/header.ts";
import { table } from "../targets/docs/service-page.ts";
import { otherCodes } from "../targets/grpc-retry-codes.ts";
import { latencyBound } from "../targets/slo/objective.ts";
import type { TargetName } from "../targets/targets.ts";
import type { Cell } from "./cell.ts";
import { rows } from "./rows.ts";

const columns: readonly TargetName[] = [
  "istio-sidecar",
  "istio-ambient",
  "linkerd",
  "kubernetes",
  "envoy",
  "grpc-service-config",
  "slo",
  "grafana",
  "docs",
];

export function emitCoverage(contract: Contract): GeneratedFile[] {
  const body = Object.entries(rows).map(([option, row]) => [
    `\`${option}\``,
    ...columns.map((target) => cellText(row[target] ?? row.rest)),
  ]);
  const sections = [
    `<!-- ${headerOfAll} -->`,
    "# What becomes of each option",
    "**Yes**: the target says exactly this. **Nearly**: it comes close, and how. A dash: the process does it, the same with and without the target. Options that contradict each other stop the build (see checks/).",
    table(["Option", ...columns], body),
    "## In this contract",
    particulars(contract).join("\n") || "Nothing is lost in any target.",
  ];
  return [{ name: "coverage.md", content: `${sections.join("\n\n")}\n` }];
}

function cellText(cell: Cell): string {
  if (cell.how === "expressed") return `**yes**: ${cell.by}`;
  if (cell.how === "approximate") return `nearly: ${cell.by}`;
  return cell.how === "error" ? `error: ${cell.by}` : "–";
}

/** Where a method asks for what a target only nearly does. */
function particulars({ services }: Contract): string[] {
  return services.flatMap(({ methods }) => methods.filter(({ shared }) => !shared).flatMap(ofMethod));
}

function ofMethod(method: MeshMethod): string[] {
  const { path, policy } = method;
  const name = `\`${path.slice(1)}\``;
  const others = otherCodes(policy.retry?.codes ?? []);
  const bound = latencyBound(method);
  const wanted = policy.slo.latencyMs / 1_000;
  return [
    ...(others.length > 0
      ? [`- ${name}: retries on ${others.join(", ")} are made by the gateway's process only.`]
      : []),
    ...(bound !== undefined && bound !== wanted
      ? [
          `- ${name}: the objective's latency of ${wanted} s is measured at ${bound} s, a bound of the histogram.`,
        ]
      : []),
    ...(policy.access.kind === "owner"
      ? [`- ${name}: whose the resource is, the process checks (${policy.access.ownedBy}).`]
      : []),
  ];
}
