/** Tells the change's ticket in GLPI: a follow-up each, documents, its status; and GLPI's inventory the versions. */
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { z } from "zod";
import type { Settings } from "../config";
import { type GlpiAccess, GlpiError, GlpiSession } from "./glpiSession";
import { recordVersions } from "./inventory";
import { type Channel, type Kind, type Message, Refused } from "./message";

type Config = NonNullable<Settings["notifications"]["glpi"]>;

/** CommonITILObject's statuses, as tickets have them. */
const STATUS = { processing: 2, planned: 3, pending: 4, solved: 5 } as const;

/** What a ticket becomes; of what is not named it stays as it is. */
const BECOMES: Partial<Record<Kind, keyof typeof STATUS>> = {
  announcement: "planned",
  start: "processing",
  rollback: "processing",
  held: "pending",
  failed: "pending",
  // An upgrade that is done waits for its acceptance; that one solves it.
  done: "pending",
};

const TYPES: Record<string, string> = { ".html": "text/html", ".ics": "text/calendar" };

const identified = z.object({ id: z.int() });

/** @param directory the change's folder, which documents lie in */
export function glpi(
  config: Config,
  tokens: Pick<GlpiAccess, "userToken" | "appToken">,
  directory: string,
): Channel {
  const access = { url: config.url, caCertificate: config.caCertificate, ...tokens };
  return {
    name: "glpi",
    async deliver(message, signal) {
      try {
        return await GlpiSession.within(access, signal, (session) =>
          message.versions
            ? recordVersions(session, message.versions)
            : tell(session, config, message, directory),
        );
      } catch (error) {
        throw isHopeless(error) ? new Refused((error as Error).message) : error;
      }
    },
  };
}

/** GLPI will not have this item, whoever asks; all else may be mended: tokens, rights, the ticket's number. */
const isHopeless = (error: unknown): boolean =>
  error instanceof GlpiError &&
  ["ERROR_GLPI_ADD", "ERROR_BAD_ARRAY", "ERROR_JSON_PAYLOAD_INVALID"].includes(error.code);

/** Each part is done once however often it is tried: what is there already is found by the message's ID. */
async function tell(
  session: GlpiSession,
  { ticket: configured }: Config,
  message: Message,
  directory: string,
): Promise<string> {
  const ticket = configured === "create" ? await ownTicket(session, message) : configured;
  const { status } = await session.get(`Ticket/${ticket}`, z.object({ status: z.int() }));
  for (const file of message.files ?? []) await attach(session, ticket, message, directory, file);
  const followups = await session.list(`Ticket/${ticket}/ITILFollowup`, z.object({ content: z.string() }));
  if (!followups.some(({ content }) => content.includes(message.id))) {
    const content = contentOf(message);
    await session.add("ITILFollowup", { itemtype: "Ticket", items_id: ticket, content });
  }
  const becomes = message.solves ? "solved" : BECOMES[message.kind];
  // Whoever has solved or closed it has the last word.
  if (becomes && status < STATUS.solved) await session.update("Ticket", ticket, { status: STATUS[becomes] });
  return `ticket ${ticket}`;
}

/** The ticket that was made for this change before, or a new one. */
async function ownTicket(session: GlpiSession, { changeId }: Message): Promise<number> {
  const name = `RKE2 change ${changeId}`;
  const [found] = await session.list("Ticket", identified, name);
  const content = `<p>The change ${changeId}, as rke2-upgrade carries it out: its follow-ups say what happens.</p>`;
  return found?.id ?? session.add("Ticket", { name, content });
}

async function attach(
  session: GlpiSession,
  ticket: number,
  { id, changeId }: Message,
  directory: string,
  file: string,
): Promise<void> {
  const name = `${changeId} ${file} ${id}`;
  const [found] = await session.list("Document", identified, name);
  const document =
    found?.id ??
    (await session.upload(
      name,
      `${changeId}-${file}`,
      await readFile(join(directory, file)),
      TYPES[extname(file)] ?? "application/octet-stream",
    ));
  const linked = await session.list(`Ticket/${ticket}/Document_Item`, z.object({ documents_id: z.int() }));
  if (linked.some(({ documents_id }) => documents_id === document)) return;
  await session.add("Document_Item", { documents_id: document, itemtype: "Ticket", items_id: ticket });
}

/** Follow-ups are HTML. */
function contentOf({ id, subject, text }: Message): string {
  const escaped = (plain: string) =>
    plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");
  return `<p><strong>${escaped(subject)}</strong></p><p>${escaped(text)}</p><p>${id}</p>`;
}
