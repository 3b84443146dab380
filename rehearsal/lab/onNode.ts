import { Machine } from "../machines/machine";
import { type Fault, required } from "./fault";
import { ssh } from "./operator";

/** What makes something wrong on a node, and right again: shell, run there by the operator. */
interface OnNode {
  readonly name: string;
  readonly effect: string;
  readonly on: string;
  readonly off: string;
  /** Exits 0 while it is wrong. */
  readonly test: string;
  /** Waits until the cluster has seen that the node is wrong, or right again: that takes Kubernetes its time. */
  readonly seen?: (node: string, on: boolean) => Promise<unknown>;
}

/** A fault on a node, its effect wherever its shell says so. */
export function onNode({ name, effect, on, off, test, seen }: OnNode): Fault {
  const usage = `${name} <node>`;
  return {
    usage,
    effect,
    async set(wanted, node) {
      const { record } = await Machine.byName(required(node, usage));
      const script = wanted ? `if ! ( ${test} ); then ${on}; fi` : `if ( ${test} ); then ${off}; fi`;
      await ssh(record.address, `set -e; ${script}`);
      await seen?.(record.name, wanted);
    },
    async active() {
      const machines = await Machine.all();
      const answers = await Promise.all(
        machines.map(({ record }) =>
          ssh(record.address, `if ( ${test} ); then echo on; fi`, 15).catch(() => ""),
        ),
      );
      return machines
        .filter((_, index) => answers[index]?.trim() === "on")
        .map(({ record }) => `${name} ${record.name}`);
    },
  };
}

/** A program of the machine, answered for by a script before it on root's PATH: what one kernel cannot make wrong. */
export const fed = (name: string, program: string, effect: string, body: string): Fault =>
  onNode({
    name,
    effect,
    on: `printf '%s\\n' '#!/bin/sh' '# fault ${name}' '${body}' | sudo install -m 755 /dev/stdin /usr/local/sbin/${program}`,
    off: `sudo rm -f /usr/local/sbin/${program}`,
    test: `grep -qs 'fault ${name}' /usr/local/sbin/${program}`,
  });
