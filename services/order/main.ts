import { runService } from "#mesh/runtime/run-service.ts";
import { order } from "./service.ts";

await runService(order);
