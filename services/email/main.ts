import { runService } from "#mesh/runtime/run-service.ts";
import { email } from "./service.ts";

await runService(email);
