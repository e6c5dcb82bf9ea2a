/**
 * DESIGN
 *
 * Sends spans to a collector over OTLP/HTTP, a batch at a time and never more than one request at once. What waits
 * is bounded: while the collector is away or slow, the newest spans are dropped and counted. Nobody waits for it,
 * and nothing it answers is an error of ours.
 *
 * The collector says when to try again (429, 502, 503, 504; OTLP specification, "Failures"); otherwise the pauses
 * double up to half a minute. Any other refusal drops the batch: it would be refused again.
 */
import http from "node:http";
import https from "node:https";
import { encodeTraces, otlpContentType } from "./otlp-traces.ts";
import { type Attributes, followSystemClock, type Span } from "./span.ts";

/** Where spans go, and how. Times in milliseconds. */
export interface ExportSettings {
  /** http:// or https://, with its path. */
  readonly url: string;
  /** Sent with each request; may hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of the process. */
  readonly resource: Attributes;
  /** Longest time that a span waits for its batch. */
  readonly delayMs: number;
  readonly timeoutMs: number;
  readonly queueLimit: number;
  readonly batchLimit: number;
}

/** What became of spans. */
export interface ExportCounts {
  exported: number;
  /** Given up because too many waited. */
  dropped: number;
  /** Given up because the collector did not take them. */
  refused: number;
}

/** Answers after which the same batch is worth another try. */
const retriable: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const longestPauseMs = 30_000;
/** How long `stop` tries to send what is left. */
const lastTryMs = 2_000;
/** Answers are not read beyond this. */
const answerBytes = 16 * 1024;

export class SpanExporter {
  readonly counts: ExportCounts = { exported: 0, dropped: 0, refused: 0 };
  readonly #settings: ExportSettings;
  readonly #agent: http.Agent;
  readonly #onTrouble: (problem: string) => void;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;

  /** @param onTrouble hears once when the collector stops taking spans; without what could be a secret */
  constructor(settings: ExportSettings, onTrouble: (problem: string) => void) {
    this.#settings = settings;
    this.#onTrouble = onTrouble;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = settings.url.startsWith("https:") ? new https.Agent(options) : new http.Agent(options);
  }

  /** Takes a span; never throws, never waits. */
  add(span: Span): void {
    const { queueLimit, batchLimit, delayMs } = this.#settings;
    if (this.#waiting.length >= queueLimit) {
      this.counts.dropped++;
      return;
    }
    this.#waiting.push(span);
    if (this.#sending || this.#failures > 0) return;
    if (this.#waiting.length >= batchLimit) this.#schedule(0);
    else if (!this.#timer) this.#schedule(delayMs);
  }

  /** Sends what waits, for two seconds at most. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const end = Date.now() + lastTryMs;
    await this.#sending;
    while (this.#waiting.length > 0 && Date.now() < end) {
      await this.#sendBatch(end - Date.now());
      if (this.#failures > 0) break;
    }
    this.counts.dropped += this.#waiting.length;
    this.#waiting = [];
    this.#agent.destroy();
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#sendBatch(this.#settings.timeoutMs).finally(() => {
        this.#sending = undefined;
      });
    }, ms).unref();
  }

  async #sendBatch(timeoutMs: number): Promise<void> {
    followSystemClock();
    const { batchLimit, resource, delayMs } = this.#settings;
    const batch = this.#waiting.splice(0, batchLimit);
    if (batch.length === 0) return;
    const answer = await this.#post(encodeTraces(resource, batch), timeoutMs).catch((error: Error) => ({
      status: 0,
      retryAfterMs: undefined,
      problem: (error as NodeJS.ErrnoException).code ?? error.name,
    }));
    if (answer.status >= 200 && answer.status < 300) {
      this.#failures = 0;
      this.counts.exported += batch.length;
      if (this.#waiting.length > 0) this.#schedule(this.#waiting.length >= batchLimit ? 0 : delayMs);
      return;
    }
    if (this.#failures === 0) this.#onTrouble(answer.problem);
    this.#failures++;
    if (answer.status === 0 || retriable.has(answer.status)) this.#putBack(batch);
    else this.counts.refused += batch.length;
    const pause = Math.min(longestPauseMs, 1_000 * 2 ** Math.min(this.#failures - 1, 5));
    this.#schedule(answer.retryAfterMs ?? pause * (0.75 + Math.random() / 2));
  }

  #putBack(batch: Span[]): void {
    const room = Math.max(0, this.#settings.queueLimit - this.#waiting.length);
    this.counts.dropped += Math.max(0, batch.length - room);
    this.#waiting = [...batch.slice(0, room), ...this.#waiting];
  }

  #post(
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<{ status: number; retryAfterMs: number | undefined; problem: string }> {
    const { url, headers } = this.#settings;
    return new Promise((resolve, reject) => {
      const request = (url.startsWith("https:") ? https : http).request(url, {
        method: "POST",
        agent: this.#agent,
        headers: { ...headers, "content-type": otlpContentType, "content-length": body.length },
      });
      const timer = setTimeout(() => request.destroy(new Error("timeout")), Math.max(1, timeoutMs)).unref();
      request.on("close", () => clearTimeout(timer));
      request.on("error", reject);
      request.on("response", (response) => {
        let read = 0;
        response.on("data", (chunk: Buffer) => {
          read += chunk.length;
          if (read > answerBytes) response.destroy();
        });
        response.on("error", reject);
        const status = response.statusCode ?? 0;
        const problem = `HTTP ${status}`;
        response.on("close", () => resolve({ status, retryAfterMs: retryAfter(response.headers), problem }));
      });
      request.end(body);
    });
  }
}

function retryAfter(headers: http.IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers["retry-after"]);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, longestPauseMs) : undefined;
}
