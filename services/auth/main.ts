import { runService } from "#mesh/runtime/run-service.ts";
import { auth } from "./service.ts";

await runService(auth);
