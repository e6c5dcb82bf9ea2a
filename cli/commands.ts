/** Every command of the tool: the only list. A new one is one entry more. */
import { dlq } from "./dlq.ts";
import type { Command } from "./run-command-line.ts";
import { newService } from "./scaffold/new-service.ts";
import { removeService } from "./scaffold/remove-service.ts";

export const commands: readonly Command[] = [dlq, newService, removeService];
