/** The watch's series: `run-N.watch.jsonl`, a line an answer, or what came in place of one. */
import { appendFile, readFile } from "node:fs/promises";
import { z } from "zod";

/** The target that is no server: the virtual IP, or whatever registers clients. */
export const API_ADDRESS = "apiAddress";

const at = z.iso.datetime();

const sampleSchema = z.strictObject({
  at: at.describe("When it was asked."),
  target: z.string(),
  /** A good answer, and how long it took. */
  ms: z.number().nonnegative().optional(),
  /** Why there was none. */
  error: z.string().optional(),
  /** Whether this API server reaches its etcd, by its own check; left out where it did not say. */
  etcd: z.boolean().optional(),
});
/** What one asking of one target gave. */
export type Sample = z.infer<typeof sampleSchema>;

const podsSchema = z.strictObject({ at, podsNotRunning: z.number().int().nonnegative() });
const noteSchema = z.strictObject({ at, note: z.string() });

export const lineSchema = z.union([sampleSchema, podsSchema, noteSchema]);
export type Line = z.infer<typeof lineSchema>;

/** A series as it is read again. A kill may have cut its last line short, and that one says nothing. */
export async function readSeries(file: string): Promise<Line[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    if (line === "" || i === lines.length - 1) return [];
    try {
      return [lineSchema.parse(JSON.parse(line))];
    } catch {
      throw new Error(
        `${file} line ${i + 1} cannot be read: it was edited. next: npm run change -- report --verify on its folder; bring the file back from a copy`,
      );
    }
  });
}

/** Appends lines to a file in their order, without the caller waiting. */
export class LineFile {
  private written: Promise<void> = Promise.resolve();
  private failed = false;

  constructor(
    readonly file: string,
    private readonly fault: (error: unknown) => void,
  ) {}

  /** A disk that is full costs the record, never the run: it is told once. */
  append(line: object): void {
    this.written = this.written
      .then(() => appendFile(this.file, `${JSON.stringify(line)}\n`, { mode: 0o640 }))
      .catch((error) => {
        if (!this.failed) this.fault(error);
        this.failed = true;
      });
  }

  /** When all of it is on its way to the disk. */
  done = (): Promise<void> => this.written;
}
