/** The report's section on access. */
import type { ReportRecord } from "../reportSchema";
import type { Block, Cell, Section } from "./document";
import { moment } from "./values";

type Told = NonNullable<ReportRecord["access"]>;
type Login = Told["logins"][number];

/** Who came to the nodes, what was done in Proxmox VE and against the API (procedure §5.1). */
export const accessSection = ({ access }: ReportRecord): Section => ({
  id: "access",
  title: "Access",
  blocks: access
    ? [
        {
          kind: "text",
          text: `From ${moment(access.from)} until ${moment(access.until)}, by the clocks of the nodes and hosts. Of commands the program alone is kept, no argument.`,
        },
        ...loginBlocks(access.logins),
        ...table(
          "Tasks in Proxmox VE: about the cluster's VMs, and about the hosts",
          ["Host", "VM", "What", "By", "Began", "Ended", "How it ended"],
          access.tasks.map((one) => [
            one.host,
            one.vmId === undefined ? "the host" : String(one.vmId),
            one.type,
            who(one.user, one.program),
            moment(one.startedAt),
            one.endedAt ? moment(one.endedAt) : "not measured: it still ran",
            { text: one.status, tone: one.status === "OK" ? "good" : "warn" },
          ]),
          access.measured.hosts.some > 0,
        ),
        ...table(
          "Requests that changed something or went into a container, by the audit logs. Kubernetes' own components are left out; the program's steps use a server's own kubeconfig, system:admin, as a person there would",
          ["API server", "User", "Client", "What", "Times", "First", "Last"],
          access.requests.map((one) => [
            one.server,
            one.user,
            one.agent,
            `${one.verb} ${one.resource}`,
            ...times(one),
          ]),
          access.measured.servers.some > 0,
        ),
        ...table(
          "Not measured",
          ["What", "Why"],
          access.missing.map(({ what, why }): Cell[] => [what, { text: why, tone: "warn" }]),
          false,
        ),
      ]
    : [
        {
          kind: "text",
          text: "Not measured: npm run change -- report asks the nodes and Proxmox VE, and was not run where it could.",
        },
      ],
});

function loginBlocks(logins: readonly Login[]): Block[] {
  const others = logins.filter(({ program }) => !program);
  return [
    ...table(
      "Log-ins to the nodes by others than the program",
      ["Node", "Who", "How", "From", "Proof", "Times", "First", "Last"],
      others.map((login): Cell[] => [
        login.node,
        { text: login.user, tone: login.privileged ? "warn" : "quiet" },
        how(login),
        login.from ?? login.terminal ?? "no terminal",
        login.refused
          ? { text: `refused${login.proof ? `: ${login.proof}` : ""}`, tone: "bad" }
          : (login.proof ?? ""),
        ...times(login),
      ]),
      logins.length > 0,
    ),
    ...table(
      "Log-ins to the nodes by the program, with its SSH key",
      ["Node", "As", "From", "Log-ins", "sudo", "First", "Last"],
      [...new Set(logins.map(({ node }) => node))].flatMap((node) => {
        const own = logins.filter((login) => login.node === node && login.program);
        return own.length > 0 ? [programRow(node, own)] : [];
      }),
      false,
    ),
  ];
}

/** All that the program did on a node: which commands it runs there, the change request says. */
function programRow(node: string, own: readonly Login[]): Cell[] {
  const each = (of: (login: Login) => string | undefined) =>
    [...new Set(own.flatMap((login) => of(login) ?? []))].sort().join(", ");
  const count = (wanted: Login["how"]) =>
    String(own.reduce((sum, { how, times }) => sum + (how === wanted ? times : 0), 0));
  const [first] = own.map(({ first }) => first).sort();
  const last = own
    .map(({ last }) => last)
    .sort()
    .at(-1);
  return [
    node,
    each(({ user }) => user),
    each(({ from }) => from),
    ...[count("ssh"), count("sudo"), moment(first), moment(last)],
  ];
}

const times = ({ times, first, last }: Pick<Login, "times" | "first" | "last">): string[] => [
  String(times),
  moment(first),
  moment(last),
];

function how({ how, as, command, privileged }: Login): string {
  const became = [how, ...(as ? [`to ${as}`] : []), ...(command ? [`for ${command}`] : [])].join(" ");
  return privileged ? `${became} (privileged)` : became;
}

const who = (user: string, program: boolean): Cell =>
  program ? { text: `${user} (the program)`, tone: "quiet" } : user;

/** A table, or a sentence where it would be empty: nothing at all where even that would claim too much. */
const table = (caption: string, columns: string[], rows: Cell[][], isKnown: boolean): Block[] => {
  if (rows.length > 0) return [{ kind: "table", caption, columns, rows }];
  return isKnown ? [{ kind: "text", text: `${caption}: none.` }] : [];
};
