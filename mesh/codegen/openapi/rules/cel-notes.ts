import type { FieldRules, MessageRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** A sentence for each CEL rule: its message, which is written for whoever broke it, or the expression. */
export function celNotes(rules: Pick<FieldRules | MessageRules, "cel" | "celExpression">): string[] {
  const messages = rules.cel.map(({ message, expression }) => message.trim() || `\`${expression}\``);
  const shorthands = rules.celExpression.map((expression) => `\`${expression}\``);
  return [...messages, ...shorthands].map((text) => `Rule: ${text.replace(/\.$/, "")}.`);
}
