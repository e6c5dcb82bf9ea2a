/** The page of one service. */
import { callersOf } from "../../contract/call-graph.ts";
import type { MeshMethod, MeshService } from "../../contract/model.ts";
import {
  accessWords,
  breakerWords,
  callerWords,
  moreWords,
  retryWords,
  sloWords,
  time,
} from "./policy-words.ts";

export function servicePage(service: MeshService, header: string): string {
  const { name, about, methods, publishes, consumes, calls } = service;
  const sections = [
    `<!-- ${header} -->`,
    `# ${name}`,
    about,
    diagram(service),
    "## Calls it takes",
    methods.length > 0 ? methods.map(methodSection).join("\n\n") : "None.",
    "## Calls it makes",
    calls.length > 0
      ? calls
          .map(
            ({ callee, methods: called }) =>
              `- [${callee}](${callee}.md): ${called.map((one) => `\`${one.name}\``).join(", ")}`,
          )
          .join("\n")
      : "None.",
    "## Events it publishes",
    publishes.length > 0
      ? table(
          ["Event", "Subject", "In order of", "Read by"],
          publishes.map((event) => [
            event.about || event.type,
            `\`${event.subject}\``,
            `\`${event.key}\``,
            event.consumers.map(({ service: reader }) => `[${reader}](${reader}.md)`).join(", ") || "nobody",
          ]),
        )
      : "None.",
    "## Events it reads",
    consumes.length > 0
      ? table(
          ["Subject", "From", "Consumer", "Deliveries", "Waits between", "Within"],
          consumes.map(({ event, consumer }) => [
            `\`${event.subject}\``,
            event.publishers.map((name) => `[${name}](${name}.md)`).join(", "),
            `\`${consumer.durable}\``,
            String(consumer.maxDeliver),
            consumer.backoffMs.map(time).join(", "),
            time(consumer.ackWaitMs),
          ]),
        )
      : "None.",
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

function methodSection(method: MeshMethod): string {
  const { policy } = method;
  const more = moreWords(method);
  const lines = [
    `### ${method.name}`,
    method.about,
    ["gRPC", `\`${method.path}\`${method.kind === "unary" ? "" : ` (${method.kind.replace("_", " ")})`}`],
    ...(method.rest.length > 0 ? [["REST", method.rest.map((rest) => `\`${rest}\``).join(", ")]] : []),
    ["Users", accessWords(policy)],
    ["Callers", callerWords(policy)],
    ["Time", time(policy.timeoutMs)],
    ["Repeatable", method.idempotent ? "yes" : "no"],
    ["Retries", retryWords(policy)],
    ["Breaker", breakerWords(policy)],
    [
      "In flight",
      `${policy.concurrency.limit} for each caller, ${policy.concurrency.queue} waiting; ${policy.concurrency.edgeLimit} at the edge`,
    ],
    ["Objective", sloWords(policy)],
    ...(more ? [["More", more]] : []),
  ];
  const text = lines.filter((line) => typeof line === "string" && line !== "");
  const rows = lines.filter((line): line is string[] => Array.isArray(line));
  return [...text, rows.map(([what, words]) => `- **${what}**: ${words}`).join("\n")].join("\n\n");
}

/** Who calls it, whom it calls, and where its events go. */
function diagram(service: MeshService): string {
  const id = (name: string) => name.replaceAll("-", "_");
  const arrows = new Set<string>();
  for (const caller of callersOf(service))
    if (caller !== service.name) arrows.add(`  ${id(caller)}["${caller}"] --> ${id(service.name)}`);
  for (const { callee } of service.calls)
    if (callee !== service.name) arrows.add(`  ${id(service.name)} --> ${id(callee)}["${callee}"]`);
  for (const event of service.publishes)
    for (const { service: reader } of event.consumers)
      arrows.add(`  ${id(service.name)} -. ${event.type.split(".").at(-1)} .-> ${id(reader)}["${reader}"]`);
  for (const { event } of service.consumes)
    for (const publisher of event.publishers)
      if (publisher !== service.name)
        arrows.add(
          `  ${id(publisher)}["${publisher}"] -. ${event.type.split(".").at(-1)} .-> ${id(service.name)}`,
        );
  if (arrows.size === 0) return "";
  return ["```mermaid", "flowchart LR", `  ${id(service.name)}["${service.name}"]`, ...arrows, "```"].join(
    "\n",
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
