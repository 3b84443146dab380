/** What is wrong with a stack's config, told all at once and in a way that says what to do. */

/** The namespace of every key that this program reads. */
export const NAMESPACE = "rke2-upgrade";

/** One mistake in the stack's config. None of its texts may hold a secret's value. */
export interface Mistake {
  /** The key's path below the namespace, e.g. `nodes[2].hostKey`. */
  readonly path: string;
  /** What stands there now. */
  readonly found: string;
  /** What may stand there. */
  readonly allowed: string;
  readonly example?: string;
  /** Why that rule exists, where it is not plain. */
  readonly why?: string;
  /** What to do; where absent, the command that sets the key. */
  readonly next?: string;
}

/**
 * Every mistake of a stack's config in one error. Imports nothing of Pulumi: whoever runs the program turns it
 * into a `pulumi.RunError`, so that the message is printed without a stack trace.
 */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly Mistake[]) {
    super(describeMistakes(mistakes));
    this.name = "ConfigError";
  }
}

/** The message: every mistake with its key, what was found, what is allowed, an example and the next move. */
export function describeMistakes(mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  const head = `The stack's config has ${count}; nothing was changed. Every key is explained in docs/config.md.`;
  return [head, ...mistakes.map((mistake, i) => describeMistake(mistake, i + 1))].join("\n\n");
}

function describeMistake(mistake: Mistake, ordinal: number): string {
  const key = `${NAMESPACE}:${mistake.path}`;
  const lines = [`${ordinal}. ${key}`, `found:   ${mistake.found}`, `allowed: ${mistake.allowed}`];
  if (mistake.why) lines.push(`why:     ${mistake.why}`);
  if (mistake.example) lines.push(`example: ${mistake.example}`);
  lines.push(`next:    ${mistake.next ?? setCommand(mistake.path, mistake.example)}`);
  return lines.join("\n   ");
}

/** The command that sets one key: `--path` where the key lies within an object or a list. */
export function setCommand(path: string, example?: string): string {
  const nested = /[.[]/.test(path);
  const value = example === undefined ? "VALUE" : `'${example}'`;
  return `pulumi config set ${nested ? "--path " : ""}'${NAMESPACE}:${path}' ${value}`;
}

/** A path as Pulumi writes it: `nodes[2].hostKey`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");
}

const MAX_SHOWN = 60;
/** Texts that are secrets wherever they stand by mistake: private keys, age identities, PVE token secrets. */
const secretLooking = /PRIVATE KEY|AGE-SECRET-KEY|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** A value for a message: short, on one line, and never a secret. */
export function showValue(value: unknown): string {
  if (value === undefined || value === "") return "nothing";
  const text = JSON.stringify(value);
  if (secretLooking.test(text)) return "a secret's text (not shown; it does not belong here)";
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
