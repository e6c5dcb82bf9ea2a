/**
 * How often calls are made, how they end and how long they take, by the semantic conventions for RPC
 * (opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics): by caller, callee, method and status code.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { type DurationHistogram, DurationHistograms } from "./duration-histogram.ts";
import { codeNames } from "./rpc-spans.ts";

/** Most peers of a method that are told apart; identities are proven, so there are few. */
const peerLimit = 64;

/** Durations of the calls that a process makes, or answers. */
export class CallMetrics {
  readonly #histograms: DurationHistograms;
  readonly #methods = new Map<DescMethod, MethodMetrics>();

  /** @param side "server": the peer is who calls; "client": who is called */
  constructor(side: "server" | "client") {
    const [help, peer] =
      side === "server"
        ? ["Duration of the calls that this process answers", "weft_caller"]
        : ["Duration of the calls that this process makes", "weft_callee"];
    this.#histograms = new DurationHistograms(`rpc_${side}_call_duration_seconds`, help, [
      "rpc_system_name",
      "rpc_method",
      peer,
      "rpc_response_status_code",
      "error_type",
    ]);
  }

  /** Looked up once for each method, or at each call: it is one look into a map. */
  of(method: DescMethod): MethodMetrics {
    const known = this.#methods.get(method);
    if (known) return known;
    const made = new MethodMetrics(`${method.parent.typeName}/${method.name}`, this.#histograms);
    this.#methods.set(method, made);
    return made;
  }

  text(): string {
    return this.#histograms.text();
  }
}

/** Durations of the calls of one method. */
export class MethodMetrics {
  readonly #method: string;
  readonly #histograms: DurationHistograms;
  readonly #peers = new Map<string, (DurationHistogram | undefined)[]>();

  constructor(method: string, histograms: DurationHistograms) {
    this.#method = method;
    this.#histograms = histograms;
  }

  /**
   * A call is over.
   * @param peer mesh name of caller or callee; undefined where nobody proved who calls
   * @param isError whether the code says that this side, as the conventions see it, has an error
   */
  record(peer: string | undefined, code: number, isError: boolean, ms: number): void {
    const name = peer ?? "unknown";
    const codes = this.#peers.get(name) ?? this.#newPeer(name);
    let histogram = codes[code];
    if (!histogram) {
      const status = codeNames[code] ?? "UNKNOWN";
      const shown = this.#peers.has(name) ? name : "other";
      histogram = this.#histograms.series(["grpc", this.#method, shown, status, isError ? status : ""]);
      codes[code] = histogram;
    }
    histogram.record(ms / 1_000);
  }

  #newPeer(name: string): (DurationHistogram | undefined)[] {
    const kept = this.#peers.size < peerLimit ? name : "other";
    const codes = this.#peers.get(kept) ?? [];
    this.#peers.set(kept, codes);
    return codes;
  }
}
