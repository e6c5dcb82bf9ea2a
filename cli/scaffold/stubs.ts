/** Stubs in other languages: they follow from the contract like all that `npm run gen` writes, and need their tools. */

/** By the name in `npm run gen:LANGUAGE`: a command that ends well where its tools are, and what is missing elsewhere. */
const generators = {
  go: { probe: ["go", "version"], needs: "Go 1.26 or newer (https://go.dev/dl/)" },
  // Its packages are fetched by whoever uses Python, not in passing.
  python: {
    probe: [".weft/python/bin/python", "-c", "import grpc_tools"],
    needs: "Python's packages, which that command fetches",
  },
};

/**
 * Generates the stubs of each language that is here.
 *
 * @param run runs a program in the repository; throws what it said
 * @param needed language that nothing works without
 * @returns what was left out and why, a line each
 * @throws Error when those of the `needed` language cannot be had
 */
export async function generateStubs(
  run: (program: string, args: string[]) => Promise<void>,
  needed?: string,
): Promise<string[]> {
  const leftOut: string[] = [];
  for (const [language, { probe, needs }] of Object.entries(generators)) {
    const [program = "", ...args] = probe;
    const here = await run(program, args).then(
      () => true,
      () => false,
    );
    const missing = here ? "" : `it needs ${needs}`;
    if (language !== needed && !here) {
      leftOut.push(`gen/${language} is left as it was: npm run gen:${language} writes it, ${missing}`);
      continue;
    }
    try {
      await run("npm", ["run", "--silent", `gen:${language}`]);
    } catch (error) {
      const reason = [(error as Error).message, missing].filter(Boolean).join("; ");
      if (language === needed) throw new Error(reason);
      leftOut.push(`gen/${language} is left as it was: ${reason}`);
    }
  }
  return leftOut;
}
