import { parameterError } from "./errors";

/** One parameter of a method. */
export interface Rule {
  readonly type: "string" | "integer" | "boolean";
  /** A list of them: a form repeats the parameter, JSON has an array. */
  readonly list?: true;
  readonly optional?: true;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly options?: readonly string[];
  /** Why a text breaks the format, without its end of line; undefined if it holds. */
  readonly format?: (text: string) => string | undefined;
}

export type Rules = Readonly<Record<string, Rule>>;

/** A request's parameters as they came; one that was given more than once is a list. */
export type Given = Readonly<Record<string, string | readonly string[]>>;

/** A request's parameters after verification: integers and booleans (0 or 1) as numbers. */
export type Values = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export const text: Rule = { type: "string" };
export const flag: Rule = { type: "boolean" };
export const count: Rule = { type: "integer", minimum: 0 };

/** A snapshot's name, and any other configuration ID. */
export const configId: Rule = {
  type: "string",
  maxLength: 40,
  format: (id) => (/^[a-z][a-z0-9_-]+$/i.test(id) ? undefined : `invalid configuration ID '${id}'`),
};

export const vmId: Rule = {
  type: "integer",
  minimum: 100,
  maximum: 999_999_999,
  format: (id) => (/^[1-9][0-9]{2,8}$/.test(id) ? undefined : "value does not look like a valid VM ID"),
};

/** One of a few words. */
export const oneOf = (...options: string[]): Rule => ({ type: "string", options });

/** Any number of the same. */
export const listOf = (rule: Rule): Rule => ({ ...rule, list: true });

/** The same parameter, which may be left out. */
export const optional = (rule: Rule): Rule => ({ ...rule, optional: true });

/**
 * Verifies a request's parameters.
 * @throws PveError 400 with what is wrong with each
 */
export function verify(rules: Rules, given: Given): Values {
  const errors: Record<string, string> = {};
  const values: Record<string, string | number | readonly string[]> = {};
  for (const [name, value] of Object.entries(given)) {
    const rule = rules[name];
    const all = typeof value === "string" ? [value] : value;
    const last = all.at(-1) ?? "";
    const why = rule
      ? (rule.list ? all : [last]).map((one) => breach(rule, one)).find(Boolean)
      : "property is not defined in schema and the schema does not allow additional properties";
    if (why) errors[name] = why;
    else if (rule) values[name] = rule.list ? all : coerce(rule, last);
  }
  for (const [name, rule] of Object.entries(rules)) {
    if (!rule.optional && given[name] === undefined) {
      errors[name] = "property is missing and it is not optional";
    }
  }
  if (Object.keys(errors).length > 0) throw parameterError(errors);
  return values;
}

const TRUE = /^(1|on|yes|true)$/i;
const FALSE = /^(0|off|no|false)$/i;

/** What is wrong with a value, in the order in which Proxmox VE looks. */
function breach(rule: Rule, value: string): string | undefined {
  const typeError = `type check ('${rule.type}') failed - got '${value}'`;
  if (rule.type === "integer" && !/^[+-]?\d+$/.test(value)) return typeError;
  if (rule.type === "boolean") return TRUE.test(value) || FALSE.test(value) ? undefined : typeError;
  const format = rule.format?.(value);
  if (format) return `invalid format - ${format}\n`;
  if (rule.maxLength !== undefined && value.length > rule.maxLength) {
    return `value may only be ${rule.maxLength} characters long`;
  }
  if (rule.maximum !== undefined && Number(value) > rule.maximum) {
    return `value must have a maximum value of ${rule.maximum}`;
  }
  if (rule.minimum !== undefined && Number(value) < rule.minimum) {
    return `value must have a minimum value of ${rule.minimum}`;
  }
  if (rule.options && !rule.options.includes(value)) {
    return `value '${value}' does not have a value in the enumeration '${rule.options.join(", ")}'`;
  }
  return undefined;
}

function coerce(rule: Rule, value: string): string | number {
  if (rule.type === "boolean") return TRUE.test(value) ? 1 : 0;
  return rule.type === "integer" ? Number(value) : value;
}
