/** A preview with everything it leaves: Pulumi's plan, its own JSON, and what the program saw. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { SEEN_FILE, type Seen, seenSchema } from "../observe/seen";
import { choosing, pulumi, type StackChoice } from "./pulumi";

/** Of `pulumi preview --json` what is used here. */
const previewSchema = z.object({
  steps: z.array(z.object({ op: z.string(), urn: z.string() })).default([]),
  diagnostics: z.array(z.object({ message: z.string(), severity: z.string() })).default([]),
});

const planSchema = z.object({ manifest: z.object({ version: z.string() }) });

/** What a preview has left. */
export interface Preview {
  /** Pulumi's plan file, byte for byte. */
  readonly plan: string;
  readonly pulumiVersion: string;
  /** What is planned for each resource, by its name. */
  readonly operations: ReadonlyMap<string, string>;
  readonly seen: Seen;
}

/** Runs `pulumi preview` and reads what it leaves. It changes nothing. @throws with Pulumi's own errors where it fails */
export async function preview(choice: StackChoice): Promise<Preview> {
  const folder = await mkdtemp(join(tmpdir(), "rke2-change-"));
  try {
    const [planFile, seenFile] = [join(folder, "plan.json"), join(folder, "seen.json")];
    const args = ["preview", "--json", "--non-interactive", `--save-plan=${planFile}`, ...choosing(choice)];
    const { code, stdout, stderr } = await pulumi(args, { [SEEN_FILE]: seenFile });
    const { steps, diagnostics } = previewSchema.parse(readJson(stdout, stderr));
    if (code !== 0) {
      const errors = diagnostics
        .filter(({ severity }) => severity === "error")
        .map(({ message }) => message.trim());
      throw new Error(["pulumi preview failed:", ...errors, stderr.trim()].filter(Boolean).join("\n"));
    }
    const plan = await readFile(planFile, "utf8");
    return {
      plan,
      pulumiVersion: planSchema.parse(JSON.parse(plan)).manifest.version,
      operations: new Map(steps.map(({ op, urn }) => [nameOf(urn), op])),
      seen: seenSchema.parse(JSON.parse(await readFile(seenFile, "utf8"))),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A resource's own name: what stands last in its URN. */
export const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

function readJson(stdout: string, stderr: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`pulumi preview said nothing that can be read: ${stderr.trim() || stdout.trim()}`);
  }
}
