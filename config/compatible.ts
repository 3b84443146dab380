/**
 * Which release of a component goes with which Kubernetes minors, as their makers have published it. The rows are in
 * compatibility.json, each with where it is from and when that was read; what is not there is unknown, never guessed.
 */
import { z } from "zod";
import table from "./compatibility.json";

/** What is looked for in a cluster (procedure §3.2). */
export const COMPONENTS = ["rancher", "gpu-operator", "cert-manager", "traefik", "ingress-nginx"] as const;
export type Component = (typeof COMPONENTS)[number];

const minor = z.string().regex(/^\d+\.\d+$/);

const rowSchema = z.strictObject({
  component: z.enum(COMPONENTS),
  /** The component's own minor. */
  release: minor,
  /** The Kubernetes minors that its makers name, both ends included. */
  kubernetes: z.strictObject({ from: minor, to: minor }),
  /** Whether it refuses to be installed beyond `to`, as Rancher's chart does: then that pair is incompatible. */
  refusesBeyond: z.boolean(),
  source: z.string().min(10),
  checkedOn: z.iso.date(),
});
export type Row = z.output<typeof rowSchema>;

/** The form of compatibility.json. */
export const compatibilitySchema = z.strictObject({ version: z.literal(1), rows: z.array(rowSchema) });

const { rows } = compatibilitySchema.parse(table);

export interface Compatibility {
  readonly verdict: "compatible" | "unknown" | "incompatible";
  /** The pair as it is acknowledged: `traefik 3.9 on 1.37`. */
  readonly pair: string;
  /** What is published, and where. */
  readonly published: string;
}

/**
 * Judges one component on a Kubernetes minor.
 * @param release the component's version as found, `v2.15.1`; undefined where it could not be read
 * @param kubernetes a minor, `1.36`
 */
export function judgeCompatibility(
  component: Component,
  release: string | undefined,
  kubernetes: string,
  data: readonly Row[] = rows,
): Compatibility {
  const found = release && minorOf(release);
  const pair = `${component} ${found ?? "unknown"} on ${kubernetes}`;
  const row = data.find((one) => one.component === component && one.release === found);
  if (!row) return { verdict: "unknown", pair, published: "nothing is on record" };
  const published = `${row.kubernetes.from}–${row.kubernetes.to}, ${row.source}, read ${row.checkedOn}`;
  const [from, to, asked] = [row.kubernetes.from, row.kubernetes.to, kubernetes].map(numberOf) as [
    number,
    number,
    number,
  ];
  if (from <= asked && asked <= to) return { verdict: "compatible", pair, published };
  return { verdict: asked > to && row.refusesBeyond ? "incompatible" : "unknown", pair, published };
}

/** The minor of a version: `v2.15.1` → `2.15`; undefined where it does not begin with one. */
export const minorOf = (version: string): string | undefined => /^v?(\d+\.\d+)/.exec(version)?.[1];

const numberOf = (text: string): number => {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return major * 1000 + minor;
};
