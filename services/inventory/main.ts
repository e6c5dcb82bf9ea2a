import { runService } from "#mesh/runtime/run-service.ts";
import { inventory } from "./service.ts";

await runService(inventory);
