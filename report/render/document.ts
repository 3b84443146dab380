/** A record as people read it, before it becomes HTML or Markdown: said once, so that both say the same. */

/** How something is to be taken. Never by colour alone: the text says it too. */
export type Tone = "good" | "warn" | "bad" | "quiet";

/** A piece of text in a table or a list of facts. */
export type Cell = string | { readonly text: string; readonly tone?: Tone; readonly code?: boolean };

/** One bar of a timeline, in seconds from its beginning. */
export interface Bar {
  readonly lane: string;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly tone?: Tone;
}

export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "facts"; readonly facts: readonly (readonly [string, Cell])[] }
  | {
      readonly kind: "table";
      readonly caption: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
    }
  | { readonly kind: "code"; readonly title: string; readonly text: string }
  | {
      readonly kind: "timeline";
      readonly caption: string;
      readonly begins: string;
      readonly bars: readonly Bar[];
    };

export interface Section {
  /** Stable, for links into the page. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** The whole record. */
export interface Document {
  /** What kind of record it is. */
  readonly kind: string;
  readonly title: string;
  readonly lede: string;
  /** What matters most, in a line. */
  readonly verdict: { readonly text: string; readonly tone: Tone };
  readonly facts: readonly (readonly [string, Cell])[];
  readonly sections: readonly Section[];
  /** Where it is from, and how to check it. */
  readonly footer: readonly string[];
}

/** A cell's text and how it is to be shown. */
export const cell = (given: Cell): { text: string; tone?: Tone; code?: boolean } =>
  typeof given === "string" ? { text: given } : given;
