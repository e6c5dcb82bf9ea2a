/**
 * The embedded provider: test tokens instead of cards, and a ledger in tables of its own. It commits by
 * itself, never in a transaction of the service, so that it can be ahead of the service's books exactly as
 * a real one can.
 */
import type { MikroORM } from "@mikro-orm/postgresql";
import {
  type Amount,
  type ChargeOutcome,
  type PaymentProvider,
  ProviderUnavailableError,
} from "./provider.ts";

/** Calls with `tok_flaky` that fail for each key. */
const flakyFailures = 2;

interface Entry {
  readonly outcome: "charged" | "declined";
  readonly decline_code: string;
  readonly sum: string;
}

export function simulatedProvider(orm: MikroORM): PaymentProvider {
  const sql = <T extends object>(text: string, values: unknown[]) => orm.em.fork().execute<T[]>(text, values);
  const entryOf = async (key: string) =>
    (await sql<Entry>("select outcome, decline_code, sum from provider_charges where key = ?", [key]))[0];

  return {
    async charge({ key, amount, token }, signal) {
      signal.throwIfAborted();
      if (token === "tok_flaky") await failAtFirst(key);
      const declineCode = declineCodeOf(token);
      const [made] = await sql<Entry>(
        `insert into provider_charges (key, outcome, decline_code, sum) values (?, ?, ?, ?)
         on conflict (key) do nothing returning outcome, decline_code, sum`,
        [key, declineCode ? "declined" : "charged", declineCode, sumOf(amount)],
      );
      const entry = made ?? (await entryOf(key));
      if (entry?.sum !== sumOf(amount)) throw new Error("the provider knows this key with another sum");
      if (token === "tok_timeout") await untilAborted(signal);
      return outcomeOf(entry);
    },

    async refund({ key, chargeKey }, signal) {
      signal.throwIfAborted();
      await sql(
        `insert into provider_refunds (key, charge_key)
         select ?, key from provider_charges where key = ? and outcome = 'charged'
         on conflict do nothing`,
        [key, chargeKey],
      );
      const [refund] = await sql("select key from provider_refunds where key = ? and charge_key = ?", [
        key,
        chargeKey,
      ]);
      if (!refund) throw new Error("the provider has no such charge, or gave it back under another key");
    },

    async find(key, signal) {
      signal.throwIfAborted();
      const entry = await entryOf(key);
      return entry && outcomeOf(entry);
    },
  };

  async function failAtFirst(key: string): Promise<void> {
    const [row] = await sql<{ attempts: number }>(
      `insert into provider_attempts as known (key, attempts) values (?, 1)
       on conflict (key) do update set attempts = known.attempts + 1 returning attempts`,
      [key],
    );
    if (row && row.attempts <= flakyFailures)
      throw new ProviderUnavailableError("the provider is not available");
  }
}

/** Why a token is declined; empty for one that pays. */
function declineCodeOf(token: string): string {
  if (token === "tok_declined") return "card_declined";
  return ["tok_visa", "tok_flaky", "tok_timeout"].includes(token) ? "" : "unknown_token";
}

function outcomeOf({ outcome, decline_code }: Entry): ChargeOutcome {
  return outcome === "charged" ? { outcome } : { outcome, declineCode: decline_code };
}

/** "12.900000000 USD" */
function sumOf({ currencyCode, units, nanos }: Amount): string {
  return `${units}.${String(nanos).padStart(9, "0")} ${currencyCode}`;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
