/** Enum values that are gone, or mean something else on the wire or in JSON. New ones are additions. */
import type { Change } from "../change.ts";
import type { Surface } from "../surface.ts";
import { at } from "./at.ts";

export function compareEnums(before: Surface, now: Surface): Change[] {
  return [...before.enums.values()].flatMap((was) => {
    const is = now.enums.get(was.typeName);
    if (!is) {
      const where = now.registry.getFile(was.file.proto.name) ?? was;
      return [at(was.typeName, where, "removed", "the enum is gone", { kind: "enum", enumeration: was })];
    }
    return was.values.flatMap(({ name, number }) => {
      const same = is.values.find((value) => value.name === name);
      if (same?.number === number) return [];
      const what = `${was.typeName}.${name}`;
      const touches = { kind: "enum", enumeration: was, value: what } as const;
      if (same) return [at(what, same, "number", `is ${same.number}, not ${number}`, touches)];
      const other = is.values.find((value) => value.number === number);
      return other
        ? [at(what, other, "renamed", `${number} is called "${other.name}"`, touches)]
        : [at(what, is, "removed", "the value is gone", touches)];
    });
  });
}
