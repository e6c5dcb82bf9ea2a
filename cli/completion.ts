/** `weft completion`: what a shell needs to complete commands and options. */
import { type Command, WrongUsage } from "./run-command-line.ts";

const shells = ["bash", "zsh", "fish"] as const;

/** @param others all other commands: their names, words, and the options that their usage tells of */
export function completionOf(others: readonly Command[]): Command {
  return {
    name: "completion",
    summary: "prints what a shell needs to complete commands",
    usage: `usage: weft completion bash|zsh|fish

Defines weft as a short form of "npm run --silent weft --" in this folder, and completes its words:

  source <(npm run --silent weft -- completion bash)
  source <(npm run --silent weft -- completion zsh)
  npm run --silent weft -- completion fish | source`,
    words: shells,
    async run([shell], io) {
      const known = shells.find((each) => each === shell);
      if (!known) throw new WrongUsage(`name a shell: ${shells.join(", ")}`);
      const words = new Map([...others, completionOf([])].map((command) => [command.name, wordsOf(command)]));
      io.out({ bash, zsh, fish }[known](words));
      return 0;
    },
  };
}

function wordsOf({ usage, words = [] }: Command): string[] {
  const options = usage.match(/(?<=\s|\[)--[a-z][a-z-]*/g) ?? [];
  return [...words, ...new Set([...options, "--help"])];
}

function bash(words: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...words].map(
    ([name, list]) => `    ${name}) COMPREPLY=($(compgen -W "${list.join(" ")}" -- "$word")) ;;`,
  );
  return `weft() { npm run --silent weft -- "$@"; }
_weft() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "help ${[...words.keys()].join(" ")}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    help) COMPREPLY=($(compgen -W "${[...words.keys()].join(" ")}" -- "$word")) ;;
  esac
}
complete -F _weft weft`;
}

/** zsh reads completions of bash. */
function zsh(words: ReadonlyMap<string, readonly string[]>): string {
  return `autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bash(words)}`;
}

function fish(words: ReadonlyMap<string, readonly string[]>): string {
  const names = [...words.keys()].join(" ");
  return [
    "function weft; npm run --silent weft -- $argv; end",
    "complete -c weft -f",
    `complete -c weft -n "not __fish_seen_subcommand_from help ${names}" -a "help ${names}"`,
    ...[...words].map(
      ([name, list]) => `complete -c weft -n "__fish_seen_subcommand_from ${name}" -a "${list.join(" ")}"`,
    ),
  ].join("\n");
}
