import type * as pulumi from "@pulumi/pulumi";
import type { ClusterNode } from "../../config";
import { configure, providerContext } from "../providerConfig";
import { isPlaced, placeBackup } from "./placeBackup";

interface Inputs {
  readonly server: string;
  readonly attempt: number;
}
type Outputs = Inputs & { takenAt: string; sha256: string };

/** The provider behind {@link PlacedBackup}. It has no delete: the way back's last step on the server removes the file. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Outputs> = {
  configure,
  async diff(_id, olds, news) {
    if (olds.server !== news.server || olds.attempt !== news.attempt) return { changes: true };
    return { changes: !(await isPlaced(providerContext(), serverOf(news), news.attempt)) };
  },
  async create(inputs) {
    return { id: `${inputs.server}/etcd-snapshot`, outs: await place(inputs) };
  },
  async update(_id, _olds, news) {
    return { outs: await place(news) };
  },
};

const place = async (inputs: Inputs): Promise<Outputs> => ({
  ...inputs,
  ...(await placeBackup(providerContext(), serverOf(inputs), inputs.attempt)),
});

function serverOf({ server }: Inputs): ClusterNode {
  const found = providerContext().settings.servers.find(({ name }) => name === server);
  if (!found) throw new Error(`nodes names no server ${server}`);
  return found;
}
