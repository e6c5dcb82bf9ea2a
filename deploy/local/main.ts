/** `npm start`: the whole system on this machine, until Ctrl-C. */
import { runner } from "./runner.ts";
import { system } from "./system.ts";

await runner(system);
