import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const began = Date.now();
console.log(`seed ${values.seed}`);
const { requests, memory, failure } = await fuzz(Number(values.requests), Number(values.seed));
const seconds = Math.round((Date.now() - began) / 1000);
console.log(`${requests} requests in ${seconds} s; gateway ${memory[0]} MiB before, ${memory[1]} MiB after`);
if (failure) console.log(failure);
process.exitCode = failure ? 1 : 0;
