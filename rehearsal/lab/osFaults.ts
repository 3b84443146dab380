/** Faults of a machine's OS: its packages, their manager's lock, its reboot. */
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Machine } from "../machines/machine";
import { type Fault, present, required } from "./fault";
import { onNode } from "./onNode";
import { ssh } from "./operator";

const REPOSITORY = "/srv/rehearsal-apt";

/** Runs outdated.sh on a machine. */
const outdated = (address: string, ...words: string[]): Promise<string> => {
  const text = readFileSync(join(__dirname, "outdated.sh")).toString("base64");
  return ssh(address, `base64 -d <<<${text} | sudo bash -s -- ${words.join(" ")}`, 60);
};

const osOutdated: Fault = {
  usage: "os-outdated <node> [quiet]",
  effect:
    "small packages of that node have newer versions in a repository of its own; one asks for a reboot (not where quiet)",
  async set(on, node, quiet) {
    const { record } = await Machine.byName(required(node, this.usage));
    const there = await ssh(record.address, `test -e ${REPOSITORY} && echo yes || true`);
    if (on !== (there.trim() === "yes")) await outdated(record.address, on ? "on" : "off", quiet ?? "");
  },
  async active() {
    const machines = await Machine.all();
    return machines
      .filter(({ disk }) => existsSync(join(disk.mountPoint, REPOSITORY)))
      .map(({ record }) => `os-outdated ${record.name}`);
  },
};

/** As dpkg itself takes it, by fcntl: flock would hold nobody up. Waits for whoever has it at the moment, a look of the program's say. */
const HOLD = `use Fcntl; open(F, ">>", "/var/lib/dpkg/lock-frontend") or die; my $l = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLKW, $l) or die; sleep 7200`;

const faultOf = (machine: Machine) => join(machine.disk.mountPoint, "etc/rehearsal/faults/no-return");

const noReturn: Fault = {
  usage: "no-return <node>",
  effect: "that machine stays off at its next reboot; off: it can be started again, in Proxmox VE",
  async set(on, node) {
    const machine = await Machine.byName(required(node, this.usage));
    // What is mounted while the machine is off would stand in its next start's way.
    if (on || (await machine.running())) return present(faultOf(machine), on);
    await machine.disk.mount();
    await rm(faultOf(machine), { force: true });
    await machine.disk.unmount();
  },
  async active() {
    const machines = await Machine.all();
    return machines
      .filter((machine) => existsSync(faultOf(machine)))
      .map(({ record }) => `no-return ${record.name}`);
  },
};

export const osFaults: Readonly<Record<string, Fault>> = {
  "os-outdated": osOutdated,
  "package-lock": onNode({
    name: "package-lock",
    effect: "another process holds dpkg's lock on that node",
    on: `sudo systemd-run --quiet --collect --unit=fault-package-lock perl -e '${HOLD}' && until sudo bash -c 'apt-get check 2>&1 | grep -q "Could not get lock"'; do sleep 0.1; done`,
    off: "sudo systemctl stop fault-package-lock",
    test: "systemctl is-active -q fault-package-lock",
  }),
  "no-return": noReturn,
};
