/** A stand-in for Pulumi's CLI on PATH: it answers from files, and keeps the plan that an `up` was to enforce. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SEEN_FILE, type Seen } from "../../observe/seen";
import type { HistoryEntry, StateResource } from "../../report/state";

const PROGRAM = `#!/usr/bin/env node
const { copyFileSync, readFileSync } = require("node:fs");
const [command, ...args] = process.argv.slice(2);
const file = (name) => __dirname + "/" + name;
const option = (name) => args.find((arg) => arg.startsWith(name + "="))?.slice(name.length + 1);
if (command === "preview") {
  copyFileSync(file("plan.json"), option("--save-plan"));
  copyFileSync(file("seen.json"), process.env.${SEEN_FILE});
  console.log(JSON.stringify({ steps: [], diagnostics: [] }));
} else if (command === "stack") console.log(readFileSync(file(args[0] + ".json"), "utf8"));
else if (command === "config") console.log(JSON.parse(readFileSync(file("secrets.json"), "utf8"))[args[1]]);
else if (command === "up") {
  copyFileSync(option("--plan"), file("enforced.json"));
  process.exitCode = Number(readFileSync(file("code.json"), "utf8"));
} else process.exitCode = 99;
`;

/** What it answers. */
export interface Answers {
  /** What the preview saves, and by which operation of which resource: `{"x": ["create"]}`. */
  readonly plan: Record<string, readonly string[]>;
  readonly seen: Seen;
  readonly state: readonly StateResource[];
  readonly history: readonly HistoryEntry[];
  /** What `config get` decrypts, by the whole key. */
  readonly secrets: Record<string, string>;
  /** How `up` ends. */
  readonly code: number;
}

/** Pulumi's plan file with these operations. */
export const planFile = (operations: Answers["plan"]): string =>
  JSON.stringify({
    manifest: { version: "v3.259.0" },
    resourcePlans: Object.fromEntries(
      Object.entries(operations).map(([name, steps]) => [
        `urn:pulumi:lab::rke2-upgrade::t::${name}`,
        { steps },
      ]),
    ),
  });

export class StandInPulumi {
  private readonly folder = mkdtempSync(join(tmpdir(), "stand-in-pulumi-"));
  private readonly path = process.env.PATH;

  constructor() {
    writeFileSync(join(this.folder, "pulumi"), PROGRAM, { mode: 0o755 });
    process.env.PATH = `${this.folder}:${this.path}`;
  }

  answer({ plan, seen, state, history, secrets, code }: Partial<Answers>): void {
    const put = (name: string, value: unknown) =>
      value === undefined || writeFileSync(join(this.folder, `${name}.json`), JSON.stringify(value));
    if (plan) writeFileSync(join(this.folder, "plan.json"), planFile(plan));
    put("seen", seen);
    put("export", state && { deployment: { resources: state } });
    put("history", history);
    put("secrets", secrets);
    put("code", code);
  }

  /** The plan that the last `up` was given. */
  enforced = (): string => readFileSync(join(this.folder, "enforced.json"), "utf8");

  remove(): void {
    process.env.PATH = this.path;
    rmSync(this.folder, { recursive: true });
  }
}
