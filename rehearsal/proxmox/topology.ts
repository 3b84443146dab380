import { readFileSync } from "node:fs";
import { z } from "zod";

/** What the stand-in is told of the lab: some of what the rehearsal's `info` prints. */
const topologySchema = z.object({
  nodes: z
    .array(
      z.object({
        /** Name of the VM. */
        name: z.string(),
        vmId: z.number().int().min(100),
        proxmoxNode: z.string(),
        gpu: z.boolean().optional(),
      }),
    )
    .min(1),
  proxmox: z.object({
    /** `user@realm!name`. */
    tokenId: z.string().regex(/^[^@!]+@[^@!]+![^@!]+$/),
    tokenSecret: z.string(),
  }),
});

export type Topology = z.infer<typeof topologySchema>;
export type TopologyVm = Topology["nodes"][number];

/** Reads a topology file. @throws Error that names what is wrong in it */
export function readTopology(file: string): Topology {
  const parsed = topologySchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!parsed.success) throw new Error(`${file}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
