/** Values as a report says them. */
import { duration } from "../../config";

export const seconds = (value: number | undefined): string =>
  value === undefined ? "not measured" : value < 60 ? `${value} s` : duration(Math.round(value));

export const moment = (text: string | undefined): string =>
  text ? text.replace(/\.\d+Z$/, "Z") : "not measured";
