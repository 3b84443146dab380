import { readFile, writeFile } from "node:fs/promises";
import { say } from "../cli/progress";

const file = "/proc/sys/fs/inotify/max_user_instances";

/** Seven machines take some fifty: systemd, D-Bus and the kubelet on each. The kernel's own limit, 128, holds two rehearsals. */
const enough = 1024;

/** Raises the kernel's limit where machines would not boot for it: the first sign is a systemd that ends at once. */
export async function raiseKernelLimits(): Promise<void> {
  const limit = Number(await readFile(file, "utf8"));
  if (limit >= enough) return;
  await writeFile(file, String(enough));
  say(`fs.inotify.max_user_instances was ${limit}, is ${enough} until this machine's next boot`);
}
