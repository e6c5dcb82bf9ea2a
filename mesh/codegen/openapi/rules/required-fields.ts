/**
 * Which fields a request must have. Not only those marked so: where presence is implicit, a field left out is
 * its zero value, and rules may refuse that (`min_len: 1`). So the validator itself is asked.
 */
import { create, type DescField, type DescMessage, type Registry } from "@bufbuild/protobuf";
import { createValidator, type Validator } from "@bufbuild/protovalidate";
import { fieldRules } from "./read-rules.ts";

const validators = new WeakMap<Registry, Validator>();

/** The validator for messages of `registry`. */
export function validatorFor(registry: Registry): Validator {
  const known = validators.get(registry);
  if (known) return known;
  const validator = createValidator({ registry, legacyRequired: true });
  validators.set(registry, validator);
  return validator;
}

/** Fields of `message` that the rules refuse when they are left out. */
export function requiredFields(message: DescMessage, registry: Registry): Set<DescField> {
  const result = validatorFor(registry).validate(message, create(message));
  if (result.kind === "valid") return new Set();
  // A rule that does not compile: say what can be said without running rules.
  if (result.kind === "error") return new Set(message.fields.filter((field) => fieldRules(field)?.required));
  const refused = result.violations.flatMap(({ field }) => {
    const [first] = field;
    return field.length === 1 && first?.kind === "field" ? [first] : [];
  });
  return new Set(message.fields.filter((field) => refused.some((one) => one.number === field.number)));
}
