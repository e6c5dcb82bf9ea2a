/** Dashboards as JSON, for Grafana's file provisioning. */
import type { Contract } from "../../contract/model.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { meshDashboard, rpcDashboard, servicesDashboard } from "./calls.ts";
import { eventsDashboard } from "./events.ts";
import { processesDashboard } from "./processes.ts";

export function emitGrafana(contract: Contract): GeneratedFile[] {
  const files = [
    { name: "services.json", content: servicesDashboard(contract) },
    { name: "rpc.json", content: rpcDashboard(contract) },
    { name: "mesh.json", content: meshDashboard() },
    { name: "processes.json", content: processesDashboard(contract) },
  ];
  if (contract.events.length > 0) files.push({ name: "events.json", content: eventsDashboard(contract) });
  return files;
}
