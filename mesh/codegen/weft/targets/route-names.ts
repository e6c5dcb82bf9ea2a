import type { Contract, MeshMethod } from "../contract/model.ts";
import { kebab } from "../output/kebab.ts";
import { uniqueNames } from "../output/unique-names.ts";

/** Name of the route of a service for what is in no contract. */
export function restRoute(service: string): string {
  const wanted = { key: service, name: `${service}-everything-else`, identity: service };
  return uniqueNames([wanted]).get(service)!;
}

/**
 * Names of the routes of all methods: SERVICE-METHOD, with the name of the contract's service between where a
 * workload serves several. All routes live in one namespace.
 */
export function routeNames({ services }: Contract): ReadonlyMap<MeshMethod, string> {
  const wanted = services.flatMap(({ name, contracts, methods }) =>
    methods.map((method) => {
      const between = contracts.length > 1 ? `${kebab(method.desc.parent.name)}-` : "";
      return {
        key: method,
        name: `${name}-${between}${kebab(method.name)}`,
        identity: `${name} ${method.path}`,
      };
    }),
  );
  return uniqueNames(wanted, new Set(services.map(({ name }) => restRoute(name))));
}
