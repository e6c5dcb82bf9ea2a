import {
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type Registry,
} from "@bufbuild/protobuf";

type Optioned = DescMethod | DescService | DescMessage | DescField;

// Typed for extensions known at compile time; these are known by name only.
const has = hasOption as (desc: Optioned, extension: DescExtension) => boolean;
const get = getOption as (desc: Optioned, extension: DescExtension) => unknown;

/**
 * Value of a custom option, read with the descriptors of the compiled files themselves: the plugin runs
 * while gen/ is being rewritten, so it cannot import generated code.
 * @param T shape of the option, from generated types (which vanish at run time)
 * @returns undefined where the option is not set, or not imported by any file
 */
export function readOption<T>(registry: Registry, desc: Optioned, name: string): T | undefined {
  const extension = registry.getExtension(name);
  return extension && has(desc, extension) ? (get(desc, extension) as T) : undefined;
}
