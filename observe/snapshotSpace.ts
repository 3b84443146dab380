import type { ProxmoxClient } from "../proxmox/client";
import { readSpace } from "../proxmox/storage";
import { storagesIn, type VmConfig } from "../proxmox/vmConfig";
import type { VmPlace } from "../proxmox/vms";
import { type Finding, notMeasured } from "./finding";
import { type Look, look } from "./look";

/**
 * A snapshot on thin storage takes nothing at first and grows with every write, and a pool that is full gives all of
 * its guests I/O errors. LVM's own manual has a pool extended from 70 or 80 % on (lvmthin(7)); nearly full is no room
 * to begin a change in.
 */
const WARN_BELOW = 0.2;
const FAIL_BELOW = 0.1;

const GiB = 2 ** 30;

/** A storage that holds a VM's disks, by its name for people. */
interface Held {
  readonly name: string;
  readonly host: string;
  readonly storage: Look<string>;
}

/** Whether each storage that will hold a snapshot has room for it to grow, host by host. @param configs by VM ID */
export async function judgeSpace(
  client: ProxmoxClient,
  places: readonly VmPlace[],
  configs: ReadonlyMap<number, Look<VmConfig>>,
): Promise<Finding[]> {
  const used = places.flatMap(({ host, vmId }): Held[] => {
    const config = configs.get(vmId) ?? { missing: "not looked at" };
    // What it holds is not known: its storages are one line then.
    if ("missing" in config) return [{ name: `the storages of ${host}`, host, storage: config }];
    return storagesIn(config.value).map((storage) => ({
      name: `${storage} on ${host}`,
      host,
      storage: { value: storage },
    }));
  });
  const distinct = new Map(used.map((one) => [one.name, one]));
  return Promise.all([...distinct.values()].map((one) => judgeStorage(client, one)));
}

async function judgeStorage(client: ProxmoxClient, { name, host, storage }: Held): Promise<Finding> {
  const [check, wanted] = [`proxmox: room for snapshots, ${name}`, `at least ${WARN_BELOW * 100} %`];
  const asked = "missing" in storage ? storage : await look(() => readSpace(client, host, storage.value));
  if ("missing" in asked) return notMeasured(check, asked.missing, wanted, host);
  const { total, available } = asked.value;
  const share = total > 0 ? available / total : 0;
  const next = "free space there, or delete old snapshots: a full thin pool stops every guest on it";
  return {
    check,
    found: `${Math.floor(share * 100)} % free (${Math.floor(available / GiB)} of ${Math.floor(total / GiB)} GiB)`,
    wanted,
    ...(share >= WARN_BELOW ? { verdict: "pass" } : { verdict: share < FAIL_BELOW ? "fail" : "warn", next }),
  };
}
