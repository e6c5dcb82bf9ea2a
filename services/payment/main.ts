import { runService } from "#mesh/runtime/run-service.ts";
import { payment } from "./service.ts";

await runService(payment);
