/** Who came to a node with privileges, from what sshd, sudo, su and login wrote to its journal. Pure. */
import { z } from "zod";
import { countTogether } from "./countTogether";

/** One way in, as often as it was taken. No argument of a command is ever kept: one could be a secret. */
export const loginSchema = z.strictObject({
  how: z.enum(["ssh", "sudo", "su", "console"]),
  user: z.string().describe("Who came; for sudo and su who called it."),
  as: z.string().optional().describe("Whom they became: sudo and su."),
  from: z.string().optional().describe("The address: ssh."),
  proof: z
    .string()
    .optional()
    .describe("What sshd took for proof, as it wrote it: `publickey ED25519 SHA256:…`."),
  command: z.string().optional().describe("The program that sudo ran, without its arguments."),
  terminal: z.string().optional().describe("Absent where there was none: no person typed it."),
  refused: z.boolean(),
  programKey: z.boolean().describe("Whether it was the SSH key of this very program: ssh."),
  times: z.number().int().positive(),
  first: z.iso.datetime().describe("By the node's clock."),
  last: z.iso.datetime(),
});
export type Login = z.infer<typeof loginSchema>;

/** What makes two log-ins one. */
const WAY = ["how", "user", "as", "from", "proof", "command", "terminal", "refused", "programKey"] as const;
type Way = Pick<Login, (typeof WAY)[number]>;

const lineSchema = z.object({
  /** As bytes where it is no UTF-8, as a folder's name can make it. */
  MESSAGE: z.union([z.string(), z.array(z.number()).transform((bytes) => Buffer.from(bytes).toString())]),
  _EXE: z.string().optional(),
  _UID: z.string().optional(),
  SYSLOG_IDENTIFIER: z.string().optional(),
  __REALTIME_TIMESTAMP: z.string().regex(/^\d+$/),
});

/** The moments that are looked at, milliseconds: from the first, until before the second. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * Reads journalctl's JSON, a line a message.
 * @param fingerprint of the program's own SSH key: `SHA256:…`
 */
export function parseLogins(lines: readonly string[], { from, until }: Span, fingerprint: string): Login[] {
  const found = lines.flatMap((text): Login[] => {
    const line = lineSchema.safeParse(JSON.parse(text));
    if (!line.success) return [];
    const { MESSAGE, __REALTIME_TIMESTAMP } = line.data;
    const at = Number(__REALTIME_TIMESTAMP) / 1000;
    if (at < from || at >= until) return [];
    const way = wayIn(programOf(line.data), MESSAGE.trim());
    if (!way) return [];
    const programKey = way.how === "ssh" && (way.proof?.split(" ").includes(fingerprint) ?? false);
    const time = new Date(at).toISOString();
    return [{ ...way, programKey, times: 1, first: time, last: time }];
  });
  return mergeLogins(found);
}

/**
 * Which program wrote a line: by the kernel's word, its file in a folder that is root's, and by its own name, which anybody
 * can set, where it had ended before journald asked. sshd and login write as root (the kernel's word too, and always there);
 * sudo and su as who called them.
 */
function programOf({ _EXE, _UID, SYSLOG_IDENTIFIER = "" }: z.infer<typeof lineSchema>): string {
  const own = _EXE?.replace(/ \(deleted\)$/, "");
  if (own && !/^\/(usr\/)?(s?bin|lib|libexec)\//.test(own)) return "";
  const program = (own ? own.slice(own.lastIndexOf("/") + 1) : SYSLOG_IDENTIFIER).replace(
    /^sshd-session$/,
    "sshd",
  );
  return (program === "sshd" || program === "login") && _UID !== "0" ? "" : program;
}

/** Counts equal ones together, in an order of their own. */
export const mergeLogins = (logins: readonly Login[]): Login[] =>
  countTogether(logins, (login) => JSON.stringify(WAY.map((field) => login[field])));

const ACCEPTED = /^(Accepted|Failed) (\S+) for (?:invalid user )?(\S*) from (\S+) port \d+ ssh2(?:: (.+))?$/;
/** util-linux, shadow and PAM: RHEL 8 writes no UID of whom it opens the session for. */
const SESSION =
  /^pam_unix\((su|su-l|login):session\): session opened for user (\S+?)(?:\(uid=\d+\))? by (\S*?)\(uid=\d+\)$/;
const FAILED_SU = /^FAILED SU \(to (\S+)\) (\S+) on (\S+)$/;
const SUDO = /^(\S+) : (.*?)\bUSER=(\S+) ;.*?\bCOMMAND=(\S+)/s;

/** Every value that a field of sudo's line could have: a folder's name and a command's arguments can hold what looks like one. */
const valuesIn = (message: string, field: "USER" | "COMMAND"): string[] =>
  [...message.matchAll(new RegExp(`\\b${field}=(\\S+)`, "g"))].flatMap(([, value]) => value ?? []);

function wayIn(program: string, message: string): Omit<Way, "programKey"> | undefined {
  if (program === "sshd") {
    const [, word, method, user = "", from, key] = ACCEPTED.exec(message) ?? [];
    if (!word) return undefined;
    const proof = [method, key].filter(Boolean).join(" ");
    return { how: "ssh", user, from, proof, refused: word === "Failed" };
  }
  if (program === "sudo") {
    // The rest of a line that was too long, as a folder's name can make it: what stood before is in another.
    const [, whose] = /^(\S+) : \(command continued\) .*\bCOMMAND=/s.exec(message) ?? [];
    if (whose) return { how: "sudo", user: whose, as: "root", refused: false };
    const [, user = "", notes = "", as, command] = SUDO.exec(message) ?? [];
    if (!user) return undefined;
    const [users, commands] = [valuesIn(message, "USER"), valuesIn(message, "COMMAND")];
    const isPlain = users.length === 1 && commands.length === 1;
    const terminal = /\bTTY=(\S+) ;/.exec(notes)?.[1];
    // What stands before the fields is why not: `3 incorrect password attempts`, `command not allowed`.
    const refused = !/^(\w+=|$)/.test(notes);
    return {
      how: "sudo",
      user,
      // Whom it was, none can tell then: it counts as the most that it can have been.
      as: new Set(users).size === 1 ? as : "root",
      command: isPlain ? command : undefined,
      terminal: terminal === "unknown" ? undefined : terminal,
      refused,
    };
  }
  if (program === "su" || program === "login") {
    const [, service, as = "", user = ""] = SESSION.exec(message) ?? [];
    if (service === "login") return { how: "console", user: as, refused: false };
    if (service) return { how: "su", user: user || "root", as, refused: false };
    const [, failed, who = "", terminal] = FAILED_SU.exec(message) ?? [];
    return failed ? { how: "su", user: who, as: failed, terminal, refused: true } : undefined;
  }
  return undefined;
}

/**
 * Whether each was this program. Of ssh its key says so. sudo names no key: it counts as the program's where it was called
 * without a terminal by a user whom, on that node and in that time, nobody but the program's key logged in as.
 */
export function byProgram(logins: readonly Login[]): (login: Login) => boolean {
  const came = logins.filter(({ how, refused }) => how !== "sudo" && how !== "su" && !refused);
  const others = new Set(came.filter(({ programKey }) => !programKey).map(({ user }) => user));
  const own = new Set(
    came.filter(({ programKey, user }) => programKey && !others.has(user)).map(({ user }) => user),
  );
  return ({ how, user, terminal, refused, programKey }) =>
    how === "ssh" ? programKey : how === "sudo" && !refused && terminal === undefined && own.has(user);
}

/** Whether somebody had a node's root rights by it: sudo and su to root, and root's own log-in. */
export const isPrivileged = ({ how, user, as, refused }: Login): boolean =>
  !refused && (how === "sudo" || how === "su" ? as === "root" : user === "root");
