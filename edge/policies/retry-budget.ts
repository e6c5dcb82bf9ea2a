/** Tokens a bucket holds, and what a success puts back: the defaults of gRFC A6. */
const MAX_TOKENS = 10;
const TOKEN_RATIO = 0.1;

/**
 * How many retries an upstream is worth (gRFC A6, "Throttling retry attempts"): every failure takes a token,
 * ten successes put one back, and nothing is retried while the bucket is not more than half full. So an upstream
 * that fails altogether soon gets each call once, and not a multiple of what already was too much for it.
 */
export class RetryBudget {
  #tokens = MAX_TOKENS;

  succeeded(): void {
    this.#tokens = Math.min(MAX_TOKENS, this.#tokens + TOKEN_RATIO);
  }

  failed(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** Whether another try may be made now. */
  get allows(): boolean {
    return this.#tokens > MAX_TOKENS / 2;
  }
}
