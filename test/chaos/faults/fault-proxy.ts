/**
 * DESIGN
 *
 * A TCP proxy that stands on one link and spoils it on demand:
 *
 *   latency    every piece comes later, in order
 *   slice      everything comes in pieces of a few bytes
 *   reset      connections are reset, and new ones as well
 *   blackhole  nothing passes and nobody is told; afterwards all that waited goes through, as TCP would send it again
 *   half-open  the far end of each connection goes, and the near end never hears of it, not even afterwards: only
 *              a timeout of its own frees it. New connections pass
 *
 * A fault is set and healed for present and future connections alike.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "../harness/random.ts";

export const linkFaultKinds = ["latency", "slice", "reset", "blackhole", "half-open"] as const;
export type LinkFaultKind = (typeof linkFaultKinds)[number];

/** What is wrong with a link. */
export interface LinkFault {
  readonly kind: LinkFaultKind;
  /** Milliseconds by which each piece is late; for latency. */
  readonly delay: number;
}

/** A fault of the kind, its measures drawn. */
export function linkFaultOf(kind: LinkFaultKind, random: Random): LinkFault {
  return { kind, delay: kind === "latency" ? random.integer(20, 400) : 0 };
}

/** Bytes of a piece, for slice. */
const sliceSize = 7;
/** Slices of one chunk at most: beyond that pieces grow, so that a big reply does not take for ever. */
const mostSlices = 64;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** The near end stays, silent. */
  orphaned: boolean;
}

export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #fault: LinkFault | undefined;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on("connection", (near) => this.#accept(near));
  }

  /** A proxy on a free port of 127.0.0.1 that leads to `target`, a port there. */
  static async listen(target: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new FaultProxy(server, (server.address() as { port: number }).port, target);
  }

  /** Spoils the link until `heal`. */
  spoil(fault: LinkFault): void {
    this.#fault = fault;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  heal(): void {
    this.#fault = undefined;
    for (const { near, far, orphaned } of this.#pairs) {
      if (orphaned) continue;
      near.resume();
      far.resume();
    }
  }

  async close(): Promise<void> {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    near.on("error", () => {}); // ends in "close"
    if (this.#fault?.kind === "reset") return void near.resetAndDestroy();
    const far = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const pair: Pair = { near, far, orphaned: false };
    this.#pairs.add(pair);
    far.on("error", () => {});
    this.#pass(near, far, pair);
    this.#pass(far, near, pair);
    near.on("close", () => {
      this.#pairs.delete(pair);
      far.destroy();
    });
    far.on("close", (hadError) => {
      if (pair.orphaned) return;
      if (hadError) near.resetAndDestroy();
      else near.destroySoon();
    });
    if (this.#fault?.kind === "blackhole") this.#apply(pair);
  }

  #pass(from: Socket, to: Socket, pair: Pair): void {
    // Pieces keep their order, also when the delay shrinks meanwhile: each waits for the one before.
    let last: Promise<void> | undefined;
    const inOrder = (work: () => void, delay: number) => {
      if (!last && delay === 0) return work();
      const before = last ?? Promise.resolve();
      const due = delay === 0 ? before : Promise.all([before, pause(delay)]).then(() => {});
      const done = due.then(work).finally(() => {
        if (last === done) last = undefined;
      });
      last = done;
    };
    from.on("data", (chunk: Buffer) => {
      if (pair.orphaned) return; // nobody is there any more
      const fault = this.#fault;
      inOrder(
        () => {
          if (to.destroyed) return;
          const pieces = fault?.kind === "slice" ? slicesOf(chunk) : [chunk];
          let room = true;
          for (const piece of pieces) room = to.write(piece);
          if (room || from.isPaused()) return;
          from.pause();
          to.once("drain", () => {
            if (this.#fault?.kind !== "blackhole") from.resume();
          });
        },
        fault?.kind === "latency" ? fault.delay : 0,
      );
    });
    from.on("end", () => {
      if (!pair.orphaned) inOrder(() => to.end(), 0);
    });
  }

  #apply(pair: Pair): void {
    const { near, far } = pair;
    if (pair.orphaned) return;
    if (this.#fault?.kind === "reset") {
      near.resetAndDestroy();
      far.resetAndDestroy();
    } else if (this.#fault?.kind === "blackhole") {
      near.pause();
      far.pause();
    } else if (this.#fault?.kind === "half-open") {
      pair.orphaned = true;
      far.destroy();
    }
  }
}

function slicesOf(chunk: Buffer): Buffer[] {
  const size = Math.max(sliceSize, Math.ceil(chunk.length / mostSlices));
  return Array.from({ length: Math.ceil(chunk.length / size) }, (_, index) =>
    chunk.subarray(index * size, (index + 1) * size),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
