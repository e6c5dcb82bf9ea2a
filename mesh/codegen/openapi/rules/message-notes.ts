import type { DescMessage } from "@bufbuild/protobuf";
import { celNotes } from "./cel-notes.ts";
import { messageRules } from "./read-rules.ts";

/** Sentences for the rules of a message as a whole. */
export function messageNotes(message: DescMessage): string[] {
  const rules = messageRules(message);
  return rules ? celNotes(rules) : [];
}
