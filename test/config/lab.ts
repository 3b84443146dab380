/** The lab's config as an operator would have completed it: real host keys and a real age recipient. */
import { join } from "node:path";
import { utils } from "ssh2";
import type { RawConfig } from "../../config/decode";
import { readStackFile } from "../../config/stackFile";

const root = join(__dirname, "../..");
export const projectFile = join(root, "Pulumi.yaml");
export const labFile = join(root, "Pulumi.lab.yaml");

/** The recipient of age's own README. */
export const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/** The file as it stands in the repository, placeholders and all. */
export const labAsShipped: RawConfig = readStackFile(projectFile, labFile).values;

interface RawNode {
  [key: string]: unknown;
}

export const labNodes: readonly RawNode[] = (JSON.parse(labAsShipped.nodes ?? "[]") as RawNode[]).map(
  (node) => ({ ...node, hostKey: utils.generateKeyPairSync("ecdsa", { bits: 256 }).public }),
);

/** The completed lab, with some keys replaced; objects and lists may be given as values. */
export function lab(changes: Record<string, unknown> = {}): RawConfig {
  const completed = {
    ...labAsShipped,
    nodes: labNodes,
    backup: { directory: "backups", recipients: [RECIPIENT] },
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(completed).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** The lab's nodes with one of them changed. */
export function nodesWith(index: number, change: RawNode): RawNode[] {
  return labNodes.map((node, i) => (i === index ? { ...node, ...change } : node));
}
