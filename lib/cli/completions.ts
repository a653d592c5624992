/**
 * `brine completions`: what a shell needs to complete command lines.
 *
 * @module
 */

import { type Command, HELP, UsageError } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { print } from "./output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Prints completions for a shell. */
export const completions: Command = {
  name: "completions",
  summary: "Print completions for bash, zsh or fish",
  usage: "SHELL",
  options: [],
  examples: [
    ['eval "$(brine completions bash)"', "In ~/.bashrc"],
    ['eval "$(brine completions zsh)"', "In ~/.zshrc, after compinit"],
    ["brine completions fish | source", "In ~/.config/fish/config.fish"],
  ],
  async run(args): Promise<number> {
    const [shell, ...rest] = args.operands;
    if (rest.length > 0 || !SHELLS.some((name) => name === shell)) {
      throw new UsageError(`name one shell: ${SHELLS.join(", ")}`);
    }
    await print(
      shell === "fish" ? fish() : shell === "zsh" ? zsh() : bash(),
    );
    return 0;
  },
};

function optionNames(command: Command): string[] {
  return [...command.options, HELP].flatMap((option) =>
    option.on
      ? [`--${option.name}`, `--no-${option.name}`]
      : [`--${option.name}`]
  );
}

function bash(): string {
  const cases = COMMANDS.flatMap((command) => [
    ...command.options.filter((option) => option.choices).map((option) =>
      `    ${command.name}:--${option.name}) words="${
        option.choices!.join(" ")
      }" ;;\n`
    ),
    `    ${command.name}:*) words="${operandWords(command)}" ` +
    `options="${optionNames(command).join(" ")}" ;;\n`,
  ]).join("");
  const names = COMMANDS.map(({ name }) => name).join(" ");
  return `_brine() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local words="" options=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}:$previous" in
${cases}  esac
  if [[ "$current" == -* ]]; then words="$options"; fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _brine brine
`;
}

function operandWords(command: Command): string {
  if (command.name === "help") {
    return COMMANDS.map(({ name }) => name).join(" ");
  }
  return command.name === "completions" ? SHELLS.join(" ") : "";
}

function zsh(): string {
  const commands = COMMANDS.map((command) =>
    `    '${command.name}:${quote(command.summary)}'\n`
  ).join("");
  const cases = COMMANDS.map((command) => {
    const words = operandWords(command);
    const options = [...command.options, HELP].flatMap((option) => {
      const text = `[${quote(option.help).replace(/[[\]:]/g, "\\$&")}]`;
      const value = option.value === undefined
        ? ""
        : `:${option.value.toLowerCase().replace(/[^a-z]/g, "")}:` +
          (option.choices ? `(${option.choices.join(" ")})` : "_files");
      const names = option.on
        ? [`--${option.name}`, `--no-${option.name}`]
        : [`--${option.name}`];
      return names.map((name) =>
        `'${option.many ? "*" : ""}${name}${text}${value}'`
      );
    });
    const rest = words === "" ? "'*:file:_files'" : `'*:name:(${words})'`;
    return `    ${command.name}) _arguments ${options.join(" ")} ${rest} ;;\n`;
  }).join("");
  return `_brine() {
  local -a commands
  commands=(
${commands}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases}  esac
}
compdef _brine brine
`;
}

function quote(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function fish(): string {
  const lines = ["complete -c brine -n __fish_use_subcommand -f"];
  for (const command of COMMANDS) {
    lines.push(
      `complete -c brine -n __fish_use_subcommand -a ${command.name} -d '${
        fishQuote(command.summary)
      }'`,
    );
    const seen = `-n '__fish_seen_subcommand_from ${command.name}'`;
    const words = operandWords(command);
    if (words !== "") lines.push(`complete -c brine ${seen} -f -a '${words}'`);
    for (const option of [...command.options, HELP]) {
      lines.push(
        `complete -c brine ${seen} -l ${option.name}` +
          (option.short === undefined ? "" : ` -s ${option.short}`) +
          (option.value === undefined ? "" : " -r") +
          (option.choices ? ` -f -a '${option.choices.join(" ")}'` : "") +
          ` -d '${fishQuote(option.help)}'`,
      );
    }
  }
  return lines.join("\n") + "\n";
}

function fishQuote(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
}
