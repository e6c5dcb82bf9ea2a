/** `weft token`: an access token of anybody, in a system whose tokens the runner issues. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { validate as isUuid, v5 as uuidOf } from "uuid";
import { issueToken } from "#local/development-tokens.ts";
import { system } from "#local/system.ts";
import { type Command, CommandFailed, WrongUsage } from "./run-command-line.ts";

export const token: Command = {
  name: "token",
  summary: "prints an access token of a user, where no service issues them",
  usage: `usage: weft token USER [--role ROLE]...

For development: the token is signed by the local runner's own key and lives 15 minutes. Services accept it where
\`tokens\` in deploy/local/system.ts names no service that has the keys.

  USER               id of the user, a UUID; any other name, such as ann, stands for a UUID made of it
  --role ROLE        a role of the user; may be repeated
  --data DIR         data of the local runner (default .weft)`,
  async run(args, io) {
    const { values, positionals } = parse(args);
    const [user] = positionals;
    if (user === undefined || positionals.length > 1) throw new WrongUsage("name one user: `token ann`");
    if (system.tokens.keys)
      throw new CommandFailed(
        `users' tokens are issued by the service "${system.tokens.keys.service}": sign in there`,
      );
    const data = resolve(values.data);
    if (!existsSync(join(data, "identity/tokens.key.pem")))
      throw new CommandFailed(`no key is in ${data}: npm start makes it, or name another folder by --data`);
    const id = isUuid(user) ? user : uuidOf(user, uuidOf.URL);
    io.out(await issueToken(data, system.tokens, { id, roles: values.role }));
    return 0;
  },
};

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        role: { type: "string", multiple: true, default: [] },
        data: { type: "string", default: ".weft" },
      },
    });
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}
