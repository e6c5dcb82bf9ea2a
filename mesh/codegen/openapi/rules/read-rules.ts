/** The buf.validate options of an element (https://protovalidate.com). */
import { type DescField, type DescMessage, type DescOneof, getOption, hasOption } from "@bufbuild/protobuf";
import {
  type FieldRules,
  field as fieldOption,
  Ignore,
  type MessageRules,
  message as messageOption,
  oneof as oneofOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** Rules of a field that the server obeys; undefined without any. */
export function fieldRules(field: DescField): FieldRules | undefined {
  if (!hasOption(field, fieldOption)) return undefined;
  const rules = getOption(field, fieldOption);
  return rules.ignore === Ignore.ALWAYS ? undefined : rules;
}

/** Rules of a message as a whole; undefined without any. */
export function messageRules(message: DescMessage): MessageRules | undefined {
  return hasOption(message, messageOption) ? getOption(message, messageOption) : undefined;
}

/** Whether one member of a oneof must be given. */
export function isOneofRequired(oneof: DescOneof): boolean {
  return hasOption(oneof, oneofOption) && getOption(oneof, oneofOption).required;
}
