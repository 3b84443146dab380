import { join } from "node:path";
import { liveDirectory } from "../machines/paths";

/** The rehearsal as `info` prints it, for the Proxmox VE stand-in. */
export const infoFile = join(liveDirectory, "info.json");
