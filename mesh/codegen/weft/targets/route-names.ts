import type { MeshMethod, MeshService } from "../contract/model.ts";
import { kebab } from "../output/kebab.ts";

/**
 * Names of the routes of a service's methods: SERVICE-METHOD, with the name of the contract's service between where
 * a workload serves several. Methods that differ in nothing but case share no name: the later ones are numbered.
 */
export function routeNames({ name, contracts, methods }: MeshService): Map<MeshMethod, string> {
  const taken = new Set<string>();
  return new Map(
    methods.map((method) => {
      const between = contracts.length > 1 ? `${kebab(method.desc.parent.name)}-` : "";
      const wanted = `${name}-${between}${kebab(method.name)}`.slice(0, 240);
      let given = wanted;
      for (let number = 2; taken.has(given); number++) given = `${wanted}-${number}`;
      taken.add(given);
      return [method, given];
    }),
  );
}
