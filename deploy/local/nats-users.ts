import { type BusWork, busRights } from "#mesh/runtime/events/bus-rights.ts";
import type { NatsUser } from "./nats.ts";

/** What a service does on the bus, and its password. */
export type BusUse = BusWork & { password: string };

/** Users of the bus with the least rights that their work needs. */
export function natsUsers(uses: BusUse[]): NatsUser[] {
  return uses.map((use) => ({ name: use.service, password: use.password, ...busRights(use) }));
}
