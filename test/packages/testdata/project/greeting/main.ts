import { runService } from "@weft/runtime";
import { greeting } from "./service.ts";

await runService(greeting);
