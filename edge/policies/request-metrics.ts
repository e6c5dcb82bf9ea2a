/**
 * How often requests come, how they end and how long they take, by the semantic conventions for HTTP
 * (opentelemetry.io/docs/specs/semconv/http/http-metrics): by route and status.
 */
import { type DurationHistogram, DurationHistograms } from "#mesh/runtime/telemetry/duration-histogram.ts";

/** Methods that are told apart; others are "_OTHER", since clients may send what they like. */
const methods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
]);

export class RequestMetrics {
  readonly #histograms = new DurationHistograms(
    "http_server_request_duration_seconds",
    "Duration of the requests to the edge",
    ["http_request_method", "http_route", "rpc_method", "http_response_status_code"],
  );
  readonly #pages = new Map<string, RouteMetrics>();

  /** @param route template; empty where no route was found */
  of(method: string, route: string, rpc: string): RouteMetrics {
    return new RouteMetrics(this.#histograms, methods.has(method) ? method : "_OTHER", route, rpc);
  }

  /** Of requests that are no calls: pages, preflights, and what nobody serves. */
  ofPages(method: string): RouteMetrics {
    const name = methods.has(method) ? method : "_OTHER";
    const known = this.#pages.get(name) ?? this.of(name, "", "");
    this.#pages.set(name, known);
    return known;
  }

  text(): string {
    return this.#histograms.text();
  }
}

/** Durations of the requests to one route. */
export class RouteMetrics {
  readonly #histograms: DurationHistograms;
  readonly #labels: readonly string[];
  readonly #statuses = new Map<number, DurationHistogram>();

  constructor(histograms: DurationHistograms, method: string, route: string, rpc: string) {
    this.#histograms = histograms;
    this.#labels = [method, route, rpc];
  }

  /** @param status 0 where the client was gone before the answer */
  record(status: number, ms: number): void {
    let histogram = this.#statuses.get(status);
    if (!histogram) {
      histogram = this.#histograms.series([...this.#labels, status === 0 ? "" : String(status)]);
      this.#statuses.set(status, histogram);
    }
    histogram.record(ms / 1_000);
  }
}
