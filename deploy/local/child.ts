import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

/** How a process ended: one of the two is set, as in Node's "exit" event. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A running process of the system, whatever it is. */
export type Child = {
  pid: number;
  /** Settles when the process has ended; never rejects. */
  exited: Promise<Exit>;
  /** Signals the whole process group, so that grandchildren go too. */
  signal(signal: NodeJS.Signals): void;
};

export type ChildOptions = Pick<SpawnOptions, "cwd" | "env" | "uid" | "gid"> & {
  /** Called with what the process writes to stdout and stderr. */
  output: (chunk: Buffer) => void;
};

/**
 * Starts a process in a group of its own. A terminal's Ctrl-C reaches only the
 * foreground group: the runner alone hears it and ends the others in order.
 *
 * @throws Error if the command cannot be started (message names it and why).
 */
export async function startChild(command: string, args: string[], options: ChildOptions): Promise<Child> {
  const { output, ...rest } = options;
  const child = spawn(command, args, { ...rest, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  // Listens before anything is awaited: a process may end at once.
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  child.stdout?.on("data", output);
  child.stderr?.on("data", output);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", () => resolve());
    child.once("error", (error) => reject(new Error(`cannot start ${command}: ${error.message}`)));
  });
  return { pid: child.pid!, exited, signal: (signal) => signalGroup(child, signal) };
}

/**
 * Asks a process to end, and insists: each signal gets its time, then SIGKILL.
 *
 * @param steps signals in order with the milliseconds each may take
 */
export async function endChild(child: Child, steps: [NodeJS.Signals, number][]): Promise<Exit> {
  for (const [signal, milliseconds] of steps) {
    child.signal(signal);
    const exit = await within(child.exited, milliseconds);
    if (exit) return exit;
  }
  child.signal("SIGKILL");
  return child.exited;
}

/** The value of a promise, or undefined once the milliseconds have passed. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

/** Turns what a process writes into lines. */
export function byLine(log: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return (chunk) => {
    const lines = `${rest}${decoder.write(chunk)}`.split(/\r?\n/);
    rest = lines.pop()!;
    for (const line of lines) log(line);
  };
}

/** "exit code 1", "signal SIGKILL": for messages. */
export function describeExit({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid!, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
