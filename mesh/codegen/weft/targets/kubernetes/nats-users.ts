/** Users of the bus with the rights of their work, as part of the server's configuration. */
import { type BusWork, busRights, RATE_LIMIT_BUCKET } from "#mesh/runtime/events/bus-rights.ts";
import { hasEdge } from "../../contract/call-graph.ts";
import { type Contract, EDGE, type MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";
import { NATS_ACCOUNT } from "./scaling.ts";
import { tokenIssuer } from "./token-issuer.ts";

/**
 * A ConfigMap with users.conf, which the server's own configuration includes. Passwords come from the server's
 * environment: NATS_PASSWORD_NAME. The configuration's language contains JSON; what stands in quotes is text.
 */
export function natsUsers(contract: Contract, options: MeshOptions): Resource {
  const issuer = tokenIssuer(options);
  const work = contract.services.map((service) => workOf(service, issuer));
  if (hasEdge(contract))
    work.push({ service: EDGE, publishes: [], streams: [], buckets: [RATE_LIMIT_BUCKET], consumes: [] });
  const users = work.map((each) => userOf(each)).join(",\n");
  const text = `accounts {\n  ${NATS_ACCOUNT}: {\n    jetstream: enabled\n    users: [\n${users}\n    ]\n  }\n}\n`;
  return resource(options, "v1 ConfigMap", { name: "nats-users" }, { data: { "users.conf": text } });
}

/** Variable of the server's environment that holds a user's password. */
export function passwordVariable(service: string): string {
  return `NATS_PASSWORD_${service.replaceAll("-", "_").toUpperCase()}`;
}

function userOf(work: BusWork): string {
  const { publish, subscribe } = busRights(work);
  const permissions = { publish: { allow: publish }, subscribe: { allow: subscribe } };
  const password = `$${passwordVariable(work.service)}`;
  return `      { user: ${work.service}, password: ${password}, permissions: ${JSON.stringify(permissions)} }`;
}

function workOf({ name, publishes, consumes }: MeshService, issuer: string | undefined): BusWork {
  return {
    service: name,
    publishes: publishes.map(({ subject }) => subject),
    streams: [...new Set(publishes.map(({ stream }) => stream))],
    issuesTokens: name === issuer,
    consumes: consumes.map(({ event, consumer }) => ({
      stream: event.stream,
      durable: consumer.durable,
      filterSubject: event.subject,
    })),
  };
}
