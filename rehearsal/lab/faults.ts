import { join } from "node:path";
import { liveDirectory } from "../machines/paths";

/** File whose presence switches a fault of the lab's own services on. */
export const faultFile = (name: string): string => join(liveDirectory, "faults", name);
