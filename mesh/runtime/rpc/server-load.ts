import type { DescMethod } from "@bufbuild/protobuf";
import type { Meter } from "@opentelemetry/api";
import { LoadShedder } from "../policy/load-shedder.ts";
import { policyOf } from "../policy/method-policy.ts";

/** Time that a start may take, in milliseconds: migrations, seeds, first calls of everything. */
const startMs = 10_000;

/** What a process serves at the moment, and what it gives up because it cannot serve it. */
export class ServerLoad {
  /** Undefined where only the limits of methods hold. */
  readonly shedder: LoadShedder | undefined;
  readonly #methods = new Map<DescMethod, { inFlight: number }>();
  #total = 0;
  #shed = 0;

  /** @param lateMs see LoadShedder; 0 leaves the limits of methods only */
  constructor(lateMs: number) {
    this.shedder = lateMs > 0 ? new LoadShedder(lateMs).start(startMs) : undefined;
  }

  /** Calls in flight. */
  get inFlight(): number {
    return this.#total;
  }

  /** See LoadShedder. */
  get level(): number {
    return this.shedder?.level ?? 0;
  }

  /** Calls given up since the process began. */
  get shed(): number {
    return this.#shed;
  }

  /** Asks to serve a call; after true there must be one `leave`. */
  enter(method: DescMethod): boolean {
    const { importance, serverConcurrency } = policyOf(method);
    const counted = this.#methods.get(method) ?? this.#add(method);
    if (counted.inFlight >= serverConcurrency || this.shedder?.sheds(importance)) {
      this.#shed++;
      return false;
    }
    counted.inFlight++;
    this.#total++;
    return true;
  }

  /** A call is over. */
  leave(method: DescMethod): void {
    this.#methods.get(method)!.inFlight--;
    this.#total--;
  }

  #add(method: DescMethod): { inFlight: number } {
    const counted = { inFlight: 0 };
    this.#methods.set(method, counted);
    return counted;
  }

  /** Shows it as metrics. */
  observe(meter: Meter): void {
    meter
      .createObservableGauge("weft.load.in_flight", { description: "Calls in flight" })
      .addCallback((result) => result.observe(this.#total));
    meter
      .createObservableGauge("weft.load.shed_level", {
        description: "What is given up: from 0, nothing, over 1, low importance, and 2, normal, to 3",
      })
      .addCallback((result) => result.observe(this.level));
    meter
      .createObservableCounter("weft.load.shed", { description: "Calls given up for lack of capacity" })
      .addCallback((result) => result.observe(this.#shed));
  }

  stop(): void {
    this.shedder?.stop();
  }
}
