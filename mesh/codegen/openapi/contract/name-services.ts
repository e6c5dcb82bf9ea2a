import type { DescService } from "@bufbuild/protobuf";

/** Names for services in tags and operation ids: short where that is unique, else the full type name with "_". */
export function nameServices(services: readonly DescService[]): Map<DescService, string> {
  const count = Map.groupBy(services, (service) => service.name);
  return new Map(
    services.map((service) => {
      const alone = count.get(service.name)?.length === 1;
      return [service, alone ? service.name : service.typeName.replaceAll(".", "_")];
    }),
  );
}
