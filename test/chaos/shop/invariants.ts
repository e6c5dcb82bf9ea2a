/** What the shop promises, each promise as a check of the evidence of a run. */
import type { Invariant } from "../harness/system-under-test.ts";
import type { Evidence } from "./evidence.ts";
import { eventInvariants } from "./invariants/events.ts";
import { moneyAndMailInvariants } from "./invariants/money-and-mail.ts";
import { orderInvariants } from "./invariants/orders.ts";
import { stockInvariants } from "./invariants/stock.ts";

export const invariants: readonly Invariant<Evidence>[] = [
  ...orderInvariants,
  ...moneyAndMailInvariants,
  ...stockInvariants,
  ...eventInvariants,
];
