import type { DescMethod, DescMethodUnary } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type MethodImplSpec,
} from "@connectrpc/connect";

/** A unary method with its handler. */
export interface UnaryMethod {
  readonly method: DescMethodUnary;
  readonly impl: Extract<MethodImplSpec, { kind: "unary" }>["impl"];
}

/** Every unary method that `routes` registers, by request path. Those with options of their own are left out. */
export function unaryMethodsOf(routes: (router: ConnectRouter) => void): Map<string, UnaryMethod> {
  const methods = new Map<string, UnaryMethod>();
  const add = (spec: MethodImplSpec) => {
    if (spec.kind === "unary") methods.set(pathOf(spec.method), { method: spec.method, impl: spec.impl });
  };
  const router: ConnectRouter = {
    handlers: [],
    service(service, implementation, options) {
      if (!options) Object.values(createServiceImplSpec(service, implementation).methods).forEach(add);
      return router;
    },
    rpc(method, implementation, options) {
      if (!options) add(createMethodImplSpec(method, implementation));
      return router;
    },
  };
  routes(router);
  return methods;
}

/** ":path" of calls to a method. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
