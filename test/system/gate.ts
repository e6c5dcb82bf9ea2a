import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";

/** Where a call of a method stands: its handler has not begun, or its work is done and the reply is not sent. */
export type Point = `before ${string}` | `after ${string}`;

/** A real service behind a gate that a test may shut, to have its callers wait, fail or lose a reply. */
export interface Gate {
  /** For `serve`. */
  readonly definition: ServiceDefinition;
  /** Calls that came to the gate so far, by method ("charge"), with what `label` says of the request. */
  readonly calls: readonly string[];
  /** Holds the next call that comes to a point. */
  hold(point: Point): Hold;
  /** Every call fails at a point with UNAVAILABLE, until `open`. */
  shut(point: Point): void;
  /** Every call runs `at` at each point, which may wait or throw, until `open`. */
  meet(at: (point: Point) => Promise<void>): void;
  /** Lets everything pass again. */
  open(): void;
}

/** A call that is held. */
export interface Hold {
  /** Resolves when it is there. */
  readonly reached: Promise<void>;
  /** Lets it go on, and resolves when it has ended. */
  release(): Promise<void>;
}

type Handler = (request: never, context: never) => unknown;

/** @param label what to note of a request beside the method's name */
export function gated(definition: ServiceDefinition, label: (request: never) => string): Gate {
  const calls: string[] = [];
  const shut = new Set<Point>();
  let meet: (point: Point) => Promise<void> = async () => {};
  const holds = new Map<Point, { reached: (ended: Promise<void>) => void; released: Promise<void> }>();

  const pass = async (point: Point, ended: Promise<void>) => {
    const hold = holds.get(point);
    holds.delete(point);
    hold?.reached(ended);
    await hold?.released;
    await meet(point);
    if (shut.has(point)) throw new ConnectError(`shut ${point}`, Code.Unavailable);
  };
  const guarded =
    (name: string, handle: Handler): Handler =>
    async (request, context) => {
      calls.push(`${name} ${label(request)}`);
      const ended = Promise.withResolvers<void>();
      try {
        await pass(`before ${name}`, ended.promise);
        const reply = await handle(request, context);
        await pass(`after ${name}`, ended.promise);
        return reply;
      } finally {
        ended.resolve();
      }
    };
  const guardAll = <S extends DescService>(service: S, handlers: Partial<ServiceImpl<S>>) =>
    Object.fromEntries(
      Object.entries<Handler>(handlers as Record<string, Handler>).map(([name, handle]) => [
        name,
        service.method[name]?.methodKind === "unary" ? guarded(name, handle) : handle,
      ]),
    ) as Partial<ServiceImpl<S>>;

  return {
    definition: {
      ...definition,
      compose(parts) {
        const composition = definition.compose(parts);
        const routes = (router: ConnectRouter) =>
          composition.routes({
            ...router,
            service: (service, handlers, options) =>
              router.service(service, guardAll(service, handlers), options),
          });
        return { ...composition, routes };
      },
    },
    calls,
    hold(point) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      let ended: Promise<void> | undefined;
      holds.set(point, {
        reached: (ending) => {
          ended = ending;
          reached.resolve();
        },
        released: released.promise,
      });
      return {
        reached: reached.promise,
        release: async () => {
          released.resolve();
          await ended;
        },
      };
    },
    shut: (point) => void shut.add(point),
    meet: (at) => {
      meet = at;
    },
    open: () => {
      shut.clear();
      meet = async () => {};
    },
  };
}
