import type { Settings } from "../config";
import { bareLook } from "./bareLook";
import { askFirst } from "./firstServer";

/** Several questions to one API server; each is bounded by kubectl itself. */
const TIMEOUT_MS = 30_000;

/** A cluster that Rancher manages, itself among them. */
export interface RancherCluster {
  /** As its object is called: `local`, `c-m-x7z2kq4p`. */
  readonly name: string;
  /** As people call it. */
  readonly called: string;
  /** Active, and its agent connected where it has one. */
  readonly there: boolean;
}

/** What Rancher and rancher-backup say of themselves in their objects. */
export interface RancherFacts {
  /** That its Deployment is to have; undefined where there is none. */
  readonly replicas?: number;
  /** The server's own version, `v2.14.3`; undefined where none has run yet. */
  readonly version?: string;
  readonly clusters: readonly RancherCluster[];
  /** Names of rancher-backup's ResourceSets; undefined where rancher-backup is not installed. */
  readonly resourceSets?: readonly string[];
  /** rancher-backup's pods that are ready. */
  readonly backupPods: number;
  /** Where rancher-backup keeps its files; undefined where no pod of its has a persistent volume. */
  readonly backupVolume?: BackupVolume;
}

/** rancher-backup's persistent volume. */
export interface BackupVolume {
  readonly name: string;
  readonly node: string;
  /** Whether its files are a folder's of that node, so that they are fetched over SSH. */
  readonly isFolder: boolean;
}

/** Whether this run has to do with Rancher. */
export const concernsRancher = ({ rancherVersion, rancher }: Settings): boolean =>
  rancherVersion !== undefined || rancher.backup.enabled;

/** Looks at Rancher from the first server that answers. @throws with every server's reason where none does */
export const lookAtRancher = (
  { servers, rancher: { namespace, name } }: Pick<Settings, "servers" | "rancher">,
  privateKey: string,
): Promise<RancherFacts> =>
  askFirst(servers, async (server) =>
    parseRancher(await bareLook(server, privateKey, "look-rancher", [namespace, name], TIMEOUT_MS)),
  );

/** Reads what look-rancher.sh printed. Pure. */
export function parseRancher(stdout: string): RancherFacts {
  const rows = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t"));
  const of = (kind: string) => rows.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const [pods] = of("backup-operator");
  const [replicas] = of("replicas");
  const [volume] = of("backup-volume");
  return {
    ...(replicas && { replicas: Number(replicas[0]) }),
    version: of("version")[0]?.[0],
    clusters: of("cluster").map(([name = "", called = "", ready, connected]) => ({
      name,
      called,
      there: ready === "True" && (connected === "-" || connected === "True"),
    })),
    resourceSets: pods && of("resourceset").map(([name = ""]) => name),
    backupPods: Number(pods?.[0] ?? 0),
    ...(volume && { backupVolume: volumeOf(volume) }),
  };
}

const volumeOf = ([node = "", folder = "-", name = ""]: readonly string[]): BackupVolume => ({
  name,
  node,
  isFolder: folder !== "-",
});
