/** The program as files: what a digest is taken over, and what git says of it. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { digestOf } from "./canonical";

/** The project's folder. */
export const projectDirectory = join(__dirname, "..");

/** All that decides what a run does: folders whole, and single files. The rehearsal and the tests decide nothing. */
const FOLDERS = ["components", "config", "notify", "observe", "proxmox", "report", "scripts"];
const FILES = ["index.ts", "package.json", "package-lock.json", "Pulumi.yaml", "tsconfig.json"];

/** The digest of every file of the program, by its path, sorted. */
export function programFiles(): Record<string, string> {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(projectDirectory, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(projectDirectory, join(entry.parentPath, entry.name))),
  );
  const paths = [...inFolders, ...FILES].sort();
  return Object.fromEntries(
    paths.map((path) => [path, digestOf(readFileSync(join(projectDirectory, path)))]),
  );
}

/** What git says of the program. */
export interface Commit {
  readonly commit: string;
  /** Files of the program that differ from it. */
  readonly uncommitted: readonly string[];
}

/** Outside a repository there is no commit to name, and the record says so. */
export function programCommit(): Commit {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", projectDirectory, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    const status = git("status", "--porcelain", "--no-renames", "--", ...FOLDERS, ...FILES);
    const uncommitted = status
      .split("\n")
      .filter(Boolean)
      .map((line) => line.slice(3));
    return { commit: git("rev-parse", "HEAD").trim(), uncommitted };
  } catch {
    return { commit: "not measured: this is no git repository", uncommitted: [] };
  }
}
