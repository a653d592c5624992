/**
 * Runs the suites in every runtime that is here, or that npm has:
 * `deno task runtimes`, or some of it:
 * `deno task runtimes --quick node bun`.
 *
 * @module
 */

import { build } from "./build.ts";
import type { Outcome } from "./outcome.ts";
import { OLD_DENO, type Runtime, RUNTIMES, type Task } from "./runners.ts";
import { pathOf } from "./support.ts";

const HELP = `Usage: deno task runtimes [--quick] [--only=TEXT] [RUNTIME…]

Runs suite.ts (the public surface) and the library's own tests in
  ${RUNTIMES.map(({ name }) => name).join(", ")}

  --quick      a twentieth of suite.ts, and no other tests
  --only=TEXT  of the library's tests only those whose file or name has it

BRINE_CHROMIUM, BRINE_FIREFOX and BRINE_BUN are the paths of these, where they
are elsewhere. npx brings what npm has.`;

const ENTRIES = ["mod.ts", "cli.ts", "lib/serve/mod.ts"];

interface Row {
  runtime: string;
  suite: string;
  outcome: Outcome;
  seconds: number;
}

async function one(runtime: Runtime, task: Task): Promise<Row> {
  const start = performance.now();
  let outcome: Outcome;
  try {
    outcome = await runtime.run(task);
  } catch (error) {
    outcome = { passed: 0, failed: 1, skipped: 0, failures: [`${error}`] };
  }
  const seconds = (performance.now() - start) / 1000;
  return { runtime: runtime.name, suite: task.script, outcome, seconds };
}

/** That the types are those that an older TypeScript knows too. */
async function checkTypes(): Promise<Row> {
  const start = performance.now();
  const { success, stderr } = await new Deno.Command("npx", {
    args: ["-y", OLD_DENO, "check", "--no-lock", ...ENTRIES],
    // For @types/node, which comes from npm.
    env: { DENO_TLS_CA_STORE: "system,mozilla" },
    cwd: pathOf(new URL("../../", import.meta.url)),
    stderr: "piped",
  }).output();
  return {
    runtime: OLD_DENO,
    suite: "types",
    outcome: {
      passed: Number(success),
      failed: Number(!success),
      skipped: 0,
      failures: success ? [] : [new TextDecoder().decode(stderr)],
    },
    seconds: (performance.now() - start) / 1000,
  };
}

function print({ runtime, suite, outcome, seconds }: Row): void {
  const { passed, failed, skipped, failures } = outcome;
  console.log(
    `${runtime.padEnd(12)} ${suite.padEnd(10)} ${passed} passed, ${failed} ` +
      `failed, ${skipped} skipped (${seconds.toFixed(0)} s)`,
  );
  for (const failure of failures.slice(0, 20)) {
    console.log(`  ${failure.replaceAll("\n", "\n    ")}`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const quick = args.includes("--quick");
  const only = args.find((arg) => arg.startsWith("--only="))?.slice(7) ?? "";
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = names.find((name) =>
    !RUNTIMES.some((runtime) => runtime.name === name)
  );
  if (unknown !== undefined) {
    console.error(`There is no runtime ${unknown}.\n\n${HELP}`);
    return 2;
  }
  const folder = await Deno.makeTempDir();
  let failed = 0;
  try {
    if (!await build(folder, { own: !quick })) {
      console.error("There is no bundle. (Its bundler comes from npm.)");
      return 1;
    }
    const tasks: Task[] = [
      { folder, script: "suite.js", options: { share: quick ? 0.05 : 1 } },
    ];
    if (!quick) tasks.push({ folder, script: "own.js", options: { only } });
    for (const runtime of RUNTIMES) {
      if (names.length > 0 && !names.includes(runtime.name)) continue;
      const version = await runtime.version();
      if (version === undefined) {
        console.log(`${runtime.name.padEnd(12)} is not here`);
        continue;
      }
      console.log(`${runtime.name.padEnd(12)} ${version}`);
      const own = /^(chromium|firefox)$/.test(runtime.name)
        ? [...tasks, { folder, script: "worker.js" } as const]
        : runtime.name === "workerd"
        ? tasks.slice(0, 1)
        : tasks;
      for (const task of own) {
        const row = await one(runtime, task);
        print(row);
        failed += row.outcome.failed;
      }
      if (runtime.name === OLD_DENO) {
        const row = await checkTypes();
        print(row);
        failed += row.outcome.failed;
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
