/**
 * How many of the calls in flight to a callee may be retries, in percent, and how many always may. Retries help
 * against single failures and do harm when much fails. The gateway's own budget (edge/policies/retry-budget.ts)
 * counts failures instead, which proxies cannot.
 */
export const RETRY_BUDGET = { percent: 20, minimum: 3 } as const;
