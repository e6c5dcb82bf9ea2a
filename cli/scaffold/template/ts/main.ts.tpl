import { runService } from "#mesh/runtime/run-service.ts";
import { {{ident}} } from "./service.ts";

await runService({{ident}});
