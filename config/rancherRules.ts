/** What takes more than one key to judge of Rancher. Pure. */
import type { Mistake } from "./mistakes";
import { exportedVersion } from "./rancher";
import type { Draft } from "./rules";

/** Every broken rule of `rancherVersion` and `rancher`. */
export function judgeRancherKeys({ rancherVersion, rancher, operators = [] }: Draft): Mistake[] {
  return [
    ...judgeRestore(rancherVersion, rancher?.restore),
    ...judgeRepo(rancher),
    ...(rancherVersion === undefined ? [] : judgeTwice(rancher?.name, operators)),
  ];
}

/** An export goes back to the version that it was made of, and to no other. */
function judgeRestore(rancherVersion: string | undefined, restore: string | undefined): Mistake[] {
  if (restore === undefined || exportedVersion(restore) === rancherVersion) return [];
  return [
    {
      path: "rancher.restore",
      found: `an export of ${exportedVersion(restore)}, with rancherVersion ${rancherVersion ?? "unset"}`,
      allowed: "the export that was made of rancherVersion",
      example: restore,
      next: `pulumi config set 'rke2-upgrade:rancherVersion' ${exportedVersion(restore)}, or pulumi config rm --path 'rke2-upgrade:rancher.restore'`,
    },
  ];
}

/** A chart's own place and a repository exclude each other. */
function judgeRepo(rancher: Draft["rancher"]): Mistake[] {
  const { chart, repo } = rancher ?? {};
  if (chart === undefined || repo === undefined || /^[\w.-]+$/.test(chart)) return [];
  return [
    {
      path: "rancher.chart",
      found: `"${chart}", with repo ${repo}`,
      allowed: "a chart's name alone where repo is set",
      example: "rancher",
    },
  ];
}

/** Rancher stands in the chain once: under its own key. */
function judgeTwice(name: string | undefined, operators: NonNullable<Draft["operators"]>): Mistake[] {
  return operators.flatMap((entry, i): Mistake[] =>
    entry?.name !== undefined && entry.name === name
      ? [
          {
            path: `operators[${i}].name`,
            found: `"${entry.name}", which is Rancher's, with rancherVersion set`,
            allowed: "no operator of Rancher's name: rancherVersion moves it",
            next: `take the entry out: pulumi config rm --path 'rke2-upgrade:operators[${i}]'`,
          },
        ]
      : [],
  );
}
