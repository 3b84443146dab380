import * as pulumi from "@pulumi/pulumi";

/** What a node's steps said of it: the JSON line that each prints last. */
interface Proofs {
  readonly before: pulumi.Output<string>;
  readonly after: pulumi.Output<string>;
  /** Of its OS's patches, where there were any. */
  readonly patched?: pulumi.Output<string>;
}

/** A node's line in the version manifest. */
interface NodeVersions {
  /** The version its gate found before its turn; where that is over, the one that the change started from. */
  readonly before: string;
  readonly after: string;
  /** When its verification began, RFC 3339, UTC. */
  readonly when: string;
  /** The packages of its OS that this change has altered, `name=version`; absent where the OS was left alone. */
  readonly packages?: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** The version manifest as a stack output: per node before, after, when. Read from what the steps found, never an input. */
export function manifestOf(
  nodes: ReadonlyMap<string, Proofs>,
  from: pulumi.Output<string>,
): pulumi.Output<Record<string, NodeVersions>> {
  const lines = [...nodes].map(([name, { before, after, patched }]) =>
    pulumi.all([before, after, from, patched ?? ""]).apply(([found, proven, from, patched]) => {
      const after = lastLine(proven);
      const seen = lastLine(found).version;
      return [
        name,
        {
          before: seen === after.version ? from : seen,
          after: after.version,
          when: after.startedAt,
          ...(patched && { packages: packagesOf(patched) }),
        },
      ] as const;
    }),
  );
  return pulumi.all(lines).apply((rows) => Object.fromEntries(rows));
}

/** What patch.sh said: the packages that differ, before and after. */
function packagesOf(stdout: string): NodeVersions["packages"] {
  const { before, after } = lastLine(stdout);
  const list = (text = "") => text.split(" ").filter(Boolean);
  return { before: list(before), after: list(after) };
}

/** The JSON object that every step prints last. */
export function lastLine(stdout: string): {
  version: string;
  startedAt: string;
  seconds: number;
  before?: string;
  after?: string;
} {
  return JSON.parse(stdout.trim().split("\n").at(-1) || "{}");
}
