import type { Settings } from "../config";
import { ProxmoxClient } from "./client";

/** A client for the stack's Proxmox VE. Close it after use. */
export const connect = (settings: Settings, tokenSecret: string): ProxmoxClient =>
  new ProxmoxClient({ ...settings.proxmox, tokenSecret });
