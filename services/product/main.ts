import { runService } from "#mesh/runtime/run-service.ts";
import { product } from "./service.ts";

await runService(product);
