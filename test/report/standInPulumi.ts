/** A stand-in for Pulumi's CLI on PATH: it answers from files, and keeps the plan that an `up` was to enforce. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SEEN_FILE, type Seen } from "../../observe/seen";
import type { HistoryEntry, StateResource } from "../../report/state";

const PROGRAM = `#!/usr/bin/env node
const { copyFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const [command, ...args] = process.argv.slice(2);
const file = (name) => __dirname + "/" + name;
const option = (name) => args.find((arg) => arg.startsWith(name + "="))?.slice(name.length + 1);
if (command === "preview") {
  copyFileSync(file("plan.json"), option("--save-plan"));
  copyFileSync(file("seen.json"), process.env.${SEEN_FILE});
  console.log(JSON.stringify({ steps: [], diagnostics: [] }));
} else if (command === "stack" && args[0] === "history") {
  const [size, page] = ["--page-size", "--page"].map((name) => Number(args[args.indexOf(name) + 1]));
  const all = JSON.parse(readFileSync(file("history.json"), "utf8"));
  console.log(JSON.stringify(all.slice((page - 1) * size, page * size)));
} else if (command === "stack") console.log(readFileSync(file(args[0] + ".json"), "utf8"));
else if (command === "config") {
  const value = existsSync(file("config.json")) && JSON.parse(readFileSync(file("config.json"), "utf8"))[args[1]];
  if (value) console.log(value);
  else process.exitCode = 255;
} else if (command === "up") {
  copyFileSync(option("--plan"), file("enforced.json"));
  const edits = existsSync(file("edits.json")) && JSON.parse(readFileSync(file("edits.json"), "utf8"));
  if (edits) writeFileSync(edits, "");
  const log = args[args.indexOf("--event-log") + 1] ?? "";
  const end = () => (process.exitCode = Number(readFileSync(file("code.json"), "utf8")));
  if (!existsSync(file("events.json")) || !log.startsWith("tcp://")) end();
  else speak(log.slice(6), JSON.parse(readFileSync(file("events.json"), "utf8")), end);
} else process.exitCode = 99;

/** As the engine speaks to an event log of tcp://: all events, then it works until it is let go. */
function speak(address, events, end) {
  const { credentials } = require(${JSON.stringify(require.resolve("@grpc/grpc-js"))});
  const { EventsClient } = require(${JSON.stringify(require.resolve("@pulumi/pulumi/proto/events_grpc_pb"))});
  const { EventRequest } = require(${JSON.stringify(require.resolve("@pulumi/pulumi/proto/events_pb"))});
  const client = new EventsClient(address, credentials.createInsecure());
  const stream = client.streamEvents((error) => {
    if (error) console.error(String(error));
    client.close();
    end();
  });
  for (const event of events) {
    const request = new EventRequest();
    request.setEvent(JSON.stringify(event));
    stream.write(request);
  }
  const looking = setInterval(() => {
    // A test that has failed has taken this away.
    if (!existsSync(__filename)) process.exit(1);
    if (!existsSync(file("go"))) return;
    clearInterval(looking);
    console.log("Diagnostics:\\n  x (y):\\n    error: it broke\\n");
    stream.end();
  }, 50);
}
`;

/** What it answers. */
export interface Answers {
  /** What the preview saves, and by which operation of which resource: `{"x": ["create"]}`. */
  readonly plan: Record<string, readonly string[]>;
  readonly seen: Seen;
  readonly state: readonly StateResource[];
  readonly history: readonly HistoryEntry[];
  /** How `up` ends. */
  readonly code: number;
  /** Of the stack's config, secrets included. */
  readonly config: Record<string, string>;
  /** What `up` says to an event log; it then works until {@link StandInPulumi.letGo}. */
  readonly events: readonly object[];
  /** A file that `up` writes. */
  readonly edits: string;
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
  constructor() {
    writeFileSync(join(this.folder, "pulumi"), PROGRAM, { mode: 0o755 });
    process.env.PATH = `${this.folder}:${process.env.PATH}`;
  }

  answer({ plan, seen, state, history, code, config, events, edits }: Partial<Answers>): void {
    const put = (name: string, value: unknown) =>
      value === undefined || writeFileSync(join(this.folder, `${name}.json`), JSON.stringify(value));
    if (plan) writeFileSync(join(this.folder, "plan.json"), planFile(plan));
    put("seen", seen);
    put("export", state && { deployment: { resources: state } });
    put("history", history);
    put("code", code);
    put("config", config);
    put("events", events);
    put("edits", edits);
  }

  /** An `up` that works may end. */
  letGo(): void {
    writeFileSync(join(this.folder, "go"), "");
  }

  /** The plan that the last `up` was given. */
  enforced = (): string => readFileSync(join(this.folder, "enforced.json"), "utf8");

  remove(): void {
    // Others may have put theirs on PATH since, or taken theirs off.
    process.env.PATH = process.env.PATH?.replace(`${this.folder}:`, "");
    rmSync(this.folder, { recursive: true });
  }
}
