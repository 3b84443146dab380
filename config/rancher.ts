/** Rancher as one of the operators, and which of its moves are allowed. Pure. */
import type { Operator } from "./operatorsSchema";
import { chartRepo, type RancherFields } from "./rancherSchema";

/** The key `rancher`, with whether an export is made. */
export type Rancher = Omit<RancherFields, "backup"> & {
  readonly backup: RancherFields["backup"] & {
    readonly enabled: boolean;
    /** Whether the config itself says `enabled: false`. */
    readonly declined: boolean;
  };
};

/** Fills in what follows from `rancherVersion`: Rancher is never moved without an export, unless that is switched off. */
export const rancherOf = (fields: RancherFields, rancherVersion: string | undefined): Rancher => ({
  ...fields,
  backup: {
    ...fields.backup,
    enabled: fields.backup.enabled ?? rancherVersion !== undefined,
    declined: fields.backup.enabled === false,
  },
});

/**
 * Rancher's release in the list of operators: the first of those that go before Kubernetes. An older Rancher may not go
 * with the newer Kubernetes, and its chart refuses it.
 */
export function rancherOperators(fields: RancherFields, rancherVersion: string | undefined): Operator[] {
  if (rancherVersion === undefined) return [];
  const { namespace, name, chart, values, adopt, timeoutSeconds } = fields;
  const repo = chartRepo(fields);
  return [
    {
      ...{ name, namespace, chart, ...(repo !== undefined && { repo }) },
      ...{
        version: rancherVersion,
        when: "before",
        values,
        adopt,
        timeoutSeconds,
        health: [],
        rancher: true,
      },
    },
  ];
}

/** How the version of a Rancher may move. */
export interface RancherMove {
  readonly allowed: boolean;
  /** What to do instead; there where it is not allowed. */
  readonly instead?: string;
}

/**
 * Judges a move of Rancher: up within a minor or by one; down only with the export that was made before it, which the
 * older one needs (Rancher's documentation, "Rollbacks").
 * @param from what the server says that it is, `v2.14.3`
 * @param to the wanted version, `2.15.1`
 * @param restore the export that is put back, where one is
 */
export function judgeRancherMove(from: string, to: string, restore: string | undefined): RancherMove {
  const [was, wanted] = [partsOf(from), partsOf(to)];
  if (!was || !wanted) return { allowed: false, instead: `${from} is no release of Rancher: ask its makers` };
  const order = compare(was, wanted);
  if (order > 0) return judgeBack(was, to, restore);
  if (wanted[0] !== was[0]) return { allowed: false, instead: "no procedure is known for another major" };
  const next = `${was[0]}.${was[1] + 1}`;
  return wanted[1] > was[1] + 1
    ? { allowed: false, instead: `one minor at a time: set rancherVersion to a release of ${next} first` }
    : { allowed: true };
}

/** Rancher's documentation has all of Rancher's resources deleted first when 2.14 goes back to 2.13. */
const CLEANED: readonly [number, number] = [2, 14];

function judgeBack(was: Parts, to: string, restore: string | undefined): RancherMove {
  const wanted = partsOf(to) as Parts;
  const crosses = compare(was, [...CLEANED, 0]) >= 0 && compare(wanted, [...CLEANED, 0]) < 0;
  if (crosses) {
    return {
      allowed: false,
      instead: `from ${CLEANED.join(".")} on to an older minor Rancher's documentation has its cleanup scripts run first: by hand (docs/rancher.md)`,
    };
  }
  if (restore === undefined) {
    return {
      allowed: false,
      instead: `${was.join(".")} runs; to go back, set rancher.restore to the export that was made of ${to} (docs/rancher.md), else set rancherVersion to ${was.join(".")} or later`,
    };
  }
  return { allowed: true };
}

/** The version whose data an export holds, as its name says; undefined where it is none of ours. */
export const exportedVersion = (file: string): string | undefined =>
  /^rke2up-.*-(\d+\.\d+\.\d+)-[0-9a-f]{8}-/.exec(file)?.[1];

type Parts = readonly [number, number, number];

function partsOf(text: string): Parts | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

const compare = (a: Parts, b: Parts): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
