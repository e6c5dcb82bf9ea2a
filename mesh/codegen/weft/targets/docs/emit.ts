/** A page a service, and one with all of them. */
import { callersOf } from "../../contract/call-graph.ts";
import type { Contract } from "../../contract/model.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";
import { servicePage, table } from "./service-page.ts";

export function emitDocs(contract: Contract): GeneratedFile[] {
  const pages = contract.services.map((service) => ({
    name: `${service.name}.md`,
    content: servicePage(service, headerOf(service)),
  }));
  const rows = contract.services.map((service) => [
    `[${service.name}](${service.name}.md)`,
    service.about,
    callersOf(service).join(", "),
    service.calls.map(({ callee }) => callee).join(", "),
    service.publishes.map(({ type }) => type.split(".").at(-1)!).join(", "),
  ]);
  const index = [
    `<!-- ${headerOfAll} -->`,
    "# Services",
    table(["Service", "", "Called by", "Calls", "Publishes"], rows),
  ];
  return [...pages, { name: "README.md", content: `${index.join("\n\n")}\n` }];
}
