import { runService } from "#mesh/runtime/run-service.ts";
import { user } from "./service.ts";

await runService(user);
