/** Consents: which pods an operator has allowed a drain to hurt. */

/**
 * Whether a pod is covered by a list of consents. `*` stands for any letters within the namespace or the name, and
 * `*` alone for every pod; since neither part can hold a `/`, bash's `[[ pod == glob ]]` on a node says the same.
 * @param globs validated consents, `namespace/name`
 * @param pod `namespace/name`
 */
export function isConsented(globs: readonly string[], pod: string): boolean {
  return globs.some((glob) => {
    const pattern = glob
      .split("*")
      .map((literal) => literal.replace(/[.\\]/g, "\\$&"))
      .join(glob === "*" ? ".*" : "[^/]*");
    return new RegExp(`^${pattern}$`).test(pod);
  });
}
