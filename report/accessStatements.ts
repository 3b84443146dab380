/** What is told of access: what was measured of it, and what was not (procedure §5.1). Pure. */
import { byProgram, isPrivileged } from "../observe/logins";
import type { Access } from "./accessSchema";
import type { ReportRecord, Statement } from "./reportSchema";

type Told = NonNullable<ReportRecord["access"]>;

/** The report's own view: a row a way in, with where it was, and whether it was the program. */
export function accessTold({ from, until, nodes, servers, hosts, ownUser }: Access): Omit<Told, "sha256"> {
  const missing = (what: string, one: { name: string; notMeasured?: string; notes?: readonly string[] }) =>
    [...(one.notMeasured ? [one.notMeasured] : []), ...(one.notes ?? [])].map((why) => ({
      what: `${what} ${one.name}`,
      why,
    }));
  return {
    from,
    until,
    logins: nodes.flatMap(({ name: node, logins }) => {
      const isProgram = byProgram(logins);
      return logins.map((login) => {
        const { programKey: _, ...told } = login;
        return { node, ...told, privileged: isPrivileged(login), program: isProgram(login) };
      });
    }),
    requests: servers.flatMap(({ name: server, requests }) =>
      requests.map((request) => ({ server, ...request })),
    ),
    tasks: hosts.flatMap(({ name: host, tasks }) =>
      tasks.map((task) => ({ host, ...task, program: task.user === ownUser })),
    ),
    measured: {
      nodes: measured(nodes),
      servers: measured(servers),
      hosts: measured(hosts),
    },
    missing: [
      ...nodes.flatMap((one) =>
        missing("log-ins to", { ...one, notes: [...one.notes, ...rewound(one, hosts)] }),
      ),
      ...servers.flatMap((one) => missing("requests to the API server of", one)),
      ...hosts.flatMap((one) => missing("tasks of the Proxmox VE host", one)),
    ],
  };
}

/** A VM that goes back takes its journal along. */
const rewound = ({ vmId }: Access["nodes"][number], hosts: Access["hosts"]): string[] =>
  hosts
    .flatMap(({ tasks }) => tasks)
    .filter((task) => task.type === "qmrollback" && task.vmId === vmId && task.status === "OK")
    .map(
      ({ startedAt }) =>
        `its VM was put back to a snapshot at ${startedAt}: of what its journal held from the snapshot until then there is what was collected before, and no more`,
    );

const measured = (all: readonly { until?: string }[]): Told["measured"]["nodes"] => ({
  of: all.length,
  some: all.filter(({ until }) => until !== undefined).length,
});

/** In sentences, with what each stands on. */
export function accessStatements(access: Told | undefined): Statement[] {
  return [
    logins(access),
    tasks(access),
    requests(access),
    ...(access && access.missing.length > 0
      ? [
          {
            text: `${access.missing.length} parts of it: not measured, see "Access"`,
            measured: false,
            source: "each with its reason there",
          },
        ]
      : []),
  ];
}

function logins(access: Told | undefined): Statement {
  const source = "§5.1: sshd, sudo, su and login in every node's journal, by its own clock";
  if (!access || access.measured.nodes.some === 0)
    return { text: "privileged log-ins to the nodes: not measured", measured: false, source };
  const { nodes } = access.measured;
  const others = access.logins.filter(({ program }) => !program);
  const users = new Set(others.filter(({ privileged }) => privileged).map(({ user }) => user));
  const refused = others.filter(({ refused }) => refused).reduce((sum, { times }) => sum + times, 0);
  return {
    text: `${nodes.some} of ${nodes.of} nodes: ${users.size === 0 ? "nobody but the program had privileges" : `privileges had, beside the program: ${list(users)}`}; ${refused} refused attempts`,
    measured: true,
    source,
  };
}

function tasks(access: Told | undefined): Statement {
  const source = "§5.1: the task list of every Proxmox VE host, about the cluster's VMs and the host itself";
  if (!access || access.measured.hosts.some === 0)
    return { text: "what was done in Proxmox VE, and by whom: not measured", measured: false, source };
  const { hosts } = access.measured;
  const others = access.tasks.filter(({ program }) => !program);
  return {
    text: `${hosts.some} of ${hosts.of} Proxmox VE hosts: ${access.tasks.length} tasks, ${others.length} of them not by the program${others.length > 0 ? `: ${list(new Set(others.map(({ user }) => user)))}` : ""}`,
    measured: true,
    source,
  };
}

function requests(access: Told | undefined): Statement {
  const source = "§5.1: the API servers' audit log, where it is on";
  if (!access || access.measured.servers.some === 0)
    return { text: "what was done against the API, and by whom: not measured", measured: false, source };
  const { servers } = access.measured;
  const users = new Set(access.requests.map(({ user }) => user));
  const times = access.requests.reduce((sum, request) => sum + request.times, 0);
  return {
    text: `${servers.some} of ${servers.of} API servers: ${times} changing requests${users.size > 0 ? ` by ${list(users)}` : ""}, but for Kubernetes' own components`,
    measured: true,
    source,
  };
}

/** So many names stand in a sentence; all of them in the table. */
const NAMED = 8;

function list(names: ReadonlySet<string>): string {
  const all = [...names].sort();
  return `${all.slice(0, NAMED).join(", ")}${all.length > NAMED ? ` and ${all.length - NAMED} more` : ""}`;
}
