import { readdir, readFile } from "node:fs/promises";
import { Machine } from "../machines/machine";
import { rehearsalName } from "../machines/paths";
import { until } from "../machines/poll";
import { Daemon } from "./daemon";
import { type Fault, required } from "./fault";

/** A program of a node whose system calls take longer: the kernel is asked by strace to delay them. */
interface Slow {
  readonly name: string;
  readonly effect: string;
  /** As the kernel names the process. */
  readonly program: string;
  readonly call: string;
  readonly milliseconds: number;
}

function slow({ name, effect, program, call, milliseconds }: Slow): Fault {
  const usage = `${name} <node> [<milliseconds>]`;
  const daemon = (node: string, command: readonly string[] = []) => new Daemon(`${name}-${node}`, command);
  return {
    usage,
    effect: `${effect} (${milliseconds} ms by default)`,
    async set(on, node, given) {
      const machine = await Machine.byName(required(node, usage));
      const microseconds = Number(given ?? milliseconds) * 1000;
      const delay = `inject=${call}:delay_exit=${microseconds}`;
      if (!on) return daemon(machine.record.name).stop();
      const pid = await processOf(machine, program);
      const options = [
        "-f",
        "-qq",
        "-p",
        String(pid),
        "-e",
        `trace=${call}`,
        "-e",
        delay,
        "-e",
        "signal=none",
      ];
      const tracer = daemon(machine.record.name, ["strace", ...options, "-o", "/dev/null"]);
      await tracer.start();
      await until(`${program} to be traced`, 10, async () =>
        /TracerPid:\s*[1-9]/.test(await readFile(`/proc/${pid}/status`, "utf8")),
      );
    },
    async active() {
      const machines = await Machine.all();
      const on = await Promise.all(machines.map(({ record }) => daemon(record.name).running()));
      return machines.filter((_, index) => on[index]).map(({ record }) => `${name} ${record.name}`);
    },
  };
}

/** The process of a program on a machine, seen from the host. */
async function processOf({ record, group }: Machine, program: string): Promise<number> {
  const below = group.path.slice(group.path.indexOf(`/${rehearsalName}/`));
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const [comm, groups] = await Promise.all(
      ["comm", "cgroup"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    if (comm?.trim() === program && groups?.includes(`${below}/`)) return Number(pid);
  }
  throw new Error(`no ${program} runs on ${record.name}`);
}

/** Faults that make a program slow, by name. */
export const slowFaults: Readonly<Record<string, Fault>> = {
  "etcd-slow": slow({
    name: "etcd-slow",
    effect: "each write to the disk takes etcd on that server longer",
    program: "etcd",
    call: "fdatasync",
    milliseconds: 200,
  }),
  "api-slow": slow({
    name: "api-slow",
    effect: "each new connection takes the API server on that server longer",
    program: "kube-apiserver",
    call: "accept4",
    milliseconds: 300,
  }),
};
