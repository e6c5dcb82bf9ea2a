import { RateLimit_Key as Key } from "#gen/weft/policy/v1/policy_pb.ts";
import { LoadShedder } from "#mesh/runtime/policy/load-shedder.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { type ClientAddress, clientAddressFrom } from "./client-address.ts";
import { type EveryRequest, everyResponse } from "./every-response.ts";
import { MemoryRateLimits, type RateLimitStore } from "./rate-limit-store.ts";
import { compileRule, type RateLimits } from "./rate-limits.ts";
import type { EdgeSettings } from "./settings.ts";
import { SharedRateLimits } from "./shared-rate-limits.ts";

/** Time that a start may take, in milliseconds: code that runs for the first time is late without any load. */
const startMs = 10_000;

/** What the policies of one running edge work with, besides the contract. */
export interface EdgeParts {
  readonly limits: RateLimits;
  /** Undefined where shedding is switched off. */
  readonly shedder: LoadShedder | undefined;
  readonly clientAddress: ClientAddress;
  readonly everyRequest: EveryRequest;
  close(): Promise<void>;
}

/** @throws Error when a setting is wrong */
export async function edgeParts(
  settings: EdgeSettings,
  { natsUrl, log }: { natsUrl: string | undefined; log: Logger },
): Promise<EdgeParts> {
  const store = await openStore(settings, natsUrl, log);
  const rate = settings.address_rate_limit;
  const everything = rate && compileRule("everything", "all", { ...rate, burst: rate.requests, key: Key.IP });
  const shedder =
    settings.shed_late_ms > 0 ? new LoadShedder(settings.shed_late_ms).start(startMs) : undefined;
  return {
    limits: { store, everything },
    shedder,
    clientAddress: clientAddressFrom(settings.trusted_proxies, settings.forwarded_header),
    everyRequest: everyResponse(settings),
    async close() {
      shedder?.stop();
      await store.close();
    },
  };
}

async function openStore(
  { rate_limit_store, rate_limit_keys, replicas }: EdgeSettings,
  natsUrl: string | undefined,
  log: Logger,
): Promise<RateLimitStore> {
  const where = rate_limit_store ?? (replicas > 1 ? "nats" : "memory");
  if (where === "memory") return new MemoryRateLimits(rate_limit_keys);
  if (!natsUrl) throw new Error("rate limits cannot be shared: NATS_URL is missing");
  return SharedRateLimits.connect(natsUrl, log, rate_limit_keys);
}
