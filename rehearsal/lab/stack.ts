import { join } from "node:path";
import { z } from "zod";
import { readStackFile } from "../../config/stackFile";
import { projectDirectory } from "../machines/paths";

/**
 * What the rehearsal takes from a stack's configuration: the topology, and its
 * own knobs. The program's rules for the same file are in config/; here only
 * what a machine is made from is asked for.
 */
const nodeSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  role: z.enum(["server", "agent"]),
  address: z.ipv4(),
  vmId: z.number().int().positive(),
  proxmoxNode: z.string(),
  gpu: z.boolean().default(false),
});

const programSchema = z.object({
  nodes: z.array(nodeSchema).min(1),
  apiAddress: z.ipv4(),
  acceptedVersion: z.string(),
  proxmox: z.object({ tokenId: z.string() }),
  ssh: z.object({ user: z.string().default("admin") }).default({ user: "admin" }),
  validation: z
    .object({ ingress: z.array(z.object({ url: z.url(), address: z.ipv4().optional() })).default([]) })
    .default({ ingress: [] }),
});

const knobsSchema = z.object({
  /** Throttles each download from the release server. 0: as fast as it goes. */
  downloadBytesPerSecond: z.number().min(0).default(0),
  /** Adds to every start of the rke2 service. */
  serviceStartDelaySeconds: z.number().min(0).default(0),
  /** RKE2's helm-install jobs crash while the servers are of two versions (rancher/rke2#10441). */
  chartsCrashBetweenServers: z.boolean().default(false),
  /** Every pod takes its whole termination grace to end. */
  useWholeGrace: z.boolean().default(false),
  /** Time that a machine's firmware and kernel take before systemd starts. */
  bootSeconds: z.number().min(0).default(0),
});

export type StackNode = z.infer<typeof nodeSchema>;
export type Knobs = z.infer<typeof knobsSchema>;

/** A stack's topology with the rehearsal's own knobs. */
export interface Stack extends z.infer<typeof programSchema> {
  readonly knobs: Knobs;
}

/** One namespace of a stack's file over the project's defaults. Lists and objects come as JSON text. */
function namespace(file: string, name: string): Record<string, unknown> {
  const { values } = readStackFile(join(projectDirectory, "Pulumi.yaml"), file, name);
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, fromText(text)]));
}

function fromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Reads a Pulumi.<stack>.yaml.
 * @throws Error that names the file and every key that is wrong.
 */
export function readStack(file: string): Stack {
  const program = programSchema.safeParse(namespace(file, "rke2-upgrade"));
  const knobs = knobsSchema.safeParse(namespace(file, "rehearsal"));
  if (!program.success) throw new Error(`${file}: rke2-upgrade:\n${z.prettifyError(program.error)}`);
  if (!knobs.success) throw new Error(`${file}: rehearsal:\n${z.prettifyError(knobs.error)}`);
  return { ...program.data, knobs: knobs.data };
}

/** Addresses of what stands beside the machines, on the /24 network of the API's virtual address. */
export interface LabAddresses {
  readonly prefixLength: 24;
  readonly gateway: string;
  readonly proxmox: string;
  readonly releases: string;
  readonly api: string;
  readonly ingress: string;
}

/** Hands out .1 to .3 and takes the virtual addresses from the stack. */
export function labAddresses(stack: Stack): LabAddresses {
  const network = stack.apiAddress.split(".").slice(0, 3).join(".");
  return {
    prefixLength: 24,
    gateway: `${network}.1`,
    proxmox: `${network}.2`,
    releases: `${network}.3`,
    api: stack.apiAddress,
    ingress: stack.validation.ingress[0]?.address ?? `${network}.15`,
  };
}

/** Host names that the ingress answers to. */
export function ingressNames(stack: Stack): string[] {
  return [...new Set(stack.validation.ingress.map(({ url }) => new URL(url).hostname))];
}

/** The server that founded the cluster: the first one listed. */
export function firstServer(stack: Stack): StackNode {
  const server = stack.nodes.find(({ role }) => role === "server");
  if (!server) throw new Error("the stack has no node of role server");
  return server;
}
