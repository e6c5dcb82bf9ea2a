/** Every command of the tool: the only list. A new one is one entry more. */
import { bench } from "./bench.ts";
import { call } from "./call.ts";
import { completionOf } from "./completion.ts";
import { dlq } from "./dlq.ts";
import { doctor } from "./doctor.ts";
import { emit } from "./emit.ts";
import { fault } from "./fault.ts";
import { logs } from "./logs.ts";
import { open } from "./open.ts";
import { kill, restart, scale, start, stop } from "./processes.ts";
import type { Command } from "./run-command-line.ts";
import { eject } from "./scaffold/eject/eject-shop.ts";
import { newService } from "./scaffold/new-service.ts";
import { removeService } from "./scaffold/remove-service.ts";
import { status } from "./status.ts";
import { token } from "./token.ts";
import { top } from "./top.ts";
import { trace } from "./trace.ts";

const all: readonly Command[] = [
  status,
  top,
  logs,
  trace,
  call,
  emit,
  dlq,
  fault,
  kill,
  stop,
  start,
  restart,
  scale,
  doctor,
  bench,
  newService,
  removeService,
  eject,
  token,
  open,
];

export const commands: readonly Command[] = [...all, completionOf(all)];
