/** What the stand-in for GLPI holds: items by type, as its database would. In memory: it lives as long as a test. */
import { hash } from "node:crypto";

export type Item = { id: number } & Record<string, unknown>;

/** Fields of each type that is known, with what GLPI puts into them itself. Any other type is refused. */
const ITEMTYPES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Ticket: { name: "", content: "", status: 1, is_deleted: 0 },
  ITILFollowup: { itemtype: "", items_id: 0, content: "", is_private: 0 },
  Document: { name: "", filename: "", sha1sum: "", mime: "" },
  Document_Item: { documents_id: 0, itemtype: "", items_id: 0 },
  Computer: { name: "", is_deleted: 0 },
  Software: { name: "", is_deleted: 0 },
  SoftwareVersion: { name: "", softwares_id: 0 },
  Item_SoftwareVersion: { itemtype: "", items_id: 0, softwareversions_id: 0, is_dynamic: 0 },
};

/** What a type cannot be added without: GLPI's own refusals (CommonDBTM::prepareInputForAdd of each). */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  ITILFollowup: ["itemtype", "items_id"],
  Document_Item: ["documents_id", "itemtype", "items_id"],
  SoftwareVersion: ["softwares_id"],
  Item_SoftwareVersion: ["itemtype", "items_id", "softwareversions_id"],
};

/** The field of a child that holds its parent's ID (getForeignKeyFieldForItemType). */
const FOREIGN: Readonly<Record<string, string>> = {
  Ticket: "tickets_id",
  Document: "documents_id",
  Computer: "computers_id",
  Software: "softwares_id",
  SoftwareVersion: "softwareversions_id",
};

export class Store {
  private readonly tables = new Map<string, Item[]>(Object.keys(ITEMTYPES).map((type) => [type, []]));
  /** Documents' contents by the document's ID. */
  readonly contents = new Map<number, Buffer>();

  /** All items of a type. */
  items(type: string): Item[] {
    return this.tables.get(type) ?? [];
  }

  knows = (type: string): boolean => this.tables.has(type);

  item = (type: string, id: number): Item | undefined => this.items(type).find((one) => one.id === id);

  /** Adds an item. @returns undefined where GLPI would refuse it */
  add(type: string, input: Record<string, unknown>): Item | undefined {
    if (WANTED[type]?.some((field) => !input[field])) return undefined;
    const parent = typeof input.itemtype === "string" ? input.itemtype : undefined;
    if (parent && !this.item(parent, Number(input.items_id))) return undefined;
    const fields = Object.entries(ITEMTYPES[type] ?? {}).map(([name, own]) => [
      name,
      stored(input[name] ?? own),
    ]);
    const item: Item = { id: (this.items(type).at(-1)?.id ?? 0) + 1, ...Object.fromEntries(fields) };
    this.items(type).push(item);
    return item;
  }

  /** Adds a document with its file. The name that was uploaded has lost its random prefix again. */
  addDocument(
    input: Record<string, unknown>,
    filename: string,
    mime: string,
    content: Buffer,
  ): Item | undefined {
    const sha1sum = hash("sha1", content);
    const item = this.add("Document", { ...input, filename, mime, sha1sum });
    if (item) this.contents.set(item.id, content);
    return item;
  }

  update(item: Item, input: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(input))
      if (name in item && name !== "id") item[name] = stored(value);
  }

  /** The items of a type that belong to one of another type. */
  below(parent: string, id: number, type: string): Item[] {
    const key = FOREIGN[parent] ?? "";
    return this.items(type).filter((one) =>
      key in one ? one[key] === id : one.itemtype === parent && one.items_id === id,
    );
  }
}

/** Texts as GLPI 10 keeps and returns them: < and > and & as entities (Sanitizer::sanitize). */
function stored(value: unknown): unknown {
  return typeof value === "string"
    ? value.replaceAll("&", "&#38;").replaceAll("<", "&#60;").replaceAll(">", "&#62;")
    : value;
}
