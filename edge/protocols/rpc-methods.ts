import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { StartCall } from "../transcode/upstream-call.ts";

/** An RPC the edge serves under its gRPC path. */
export interface RpcMethod {
  readonly method: DescMethod;
  readonly start: StartCall;
}

/** RPCs by request path, `/package.Service/Method`. */
export class RpcMethods {
  readonly #byPath = new Map<string, RpcMethod>();
  readonly #services = new Set<string>();

  /** Adds the methods of a service that are exposed; an earlier entry for a path stays. */
  add(service: DescService, start: StartCall, exposes: (method: DescMethod) => boolean = () => true): void {
    for (const method of service.methods) {
      if (!exposes(method)) continue;
      const path = `/${service.typeName}/${method.name}`;
      if (!this.#byPath.has(path)) this.#byPath.set(path, { method, start });
      this.#services.add(service.typeName);
    }
  }

  /** @param path request path without query */
  find(path: string): RpcMethod | undefined {
    return this.#byPath.get(path);
  }

  /** Whether the path names a service that is served, with whatever method. */
  knowsService(path: string): boolean {
    return this.#services.has(path.slice(1, path.indexOf("/", 1)));
  }
}
