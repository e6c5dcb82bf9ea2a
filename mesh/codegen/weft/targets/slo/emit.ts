/** Prometheus rules of each service, with unit tests for promtool beside them. */
import type { Contract } from "../../contract/model.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";
import { yamlFile } from "../../output/yaml-file.ts";
import { eventRules } from "./event-rules.ts";
import { hasObjective } from "./objective.ts";
import { ruleGroup } from "./rules.ts";
import { unitTests } from "./unit-tests.ts";

export function emitSlo(contract: Contract): GeneratedFile[] {
  const services = contract.services.filter(({ methods }) => methods.some(hasObjective));
  const files = services.flatMap((service) => {
    const groups = service.methods.filter(hasObjective).map((method) => ruleGroup(service.name, method));
    const rules = `${service.name}.rules.yaml`;
    return [
      yamlFile(rules, headerOf(service), [{ groups }]),
      yamlFile(`tests/${service.name}.test.yaml`, headerOf(service), [unitTests(service, `../${rules}`)]),
    ];
  });
  const events = eventRules(contract);
  if (events.length > 0) files.push(yamlFile("events.rules.yaml", headerOfAll, [{ groups: events }]));
  return files;
}
