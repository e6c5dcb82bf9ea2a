import {
  clone,
  create,
  createFileRegistry,
  type DescFile,
  type DescMethod,
  type DescService,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * The services as a client may see them: without hidden methods, and without services of the same files
 * that are not served. For reflection.
 */
export function exposedServices(
  services: readonly DescService[],
  exposes: (method: DescMethod) => boolean,
): DescService[] {
  const files = new Map<string, DescFile>();
  for (const service of services) withImports(service.file, files);
  const visible = new Map(services.map((service) => [service.typeName, service]));
  const set = create(FileDescriptorSetSchema);
  for (const file of files.values()) {
    const proto = clone(FileDescriptorProtoSchema, file.proto);
    proto.service = proto.service.filter(({ name }) => visible.has(fullName(proto.package, name)));
    for (const one of proto.service) {
      const { methods } = visible.get(fullName(proto.package, one.name))!;
      const shown = new Set(methods.filter(exposes).map(({ name }) => name));
      one.method = one.method.filter(({ name }) => shown.has(name));
    }
    // Comments of what is hidden would otherwise go out with the file.
    proto.sourceCodeInfo = undefined;
    set.file.push(proto);
  }
  const registry = createFileRegistry(set);
  return services.flatMap(({ typeName }) => registry.getService(typeName) ?? []);
}

/** The file and what it imports, imports first. */
function withImports(file: DescFile, into: Map<string, DescFile>): void {
  if (into.has(file.proto.name)) return;
  for (const dependency of file.dependencies) withImports(dependency, into);
  into.set(file.proto.name, file);
}

const fullName = (pkg: string, name: string): string => (pkg ? `${pkg}.${name}` : name);
