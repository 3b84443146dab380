/** Text of others on its way to a terminal. Pure. */

/**
 * Without control characters but line ends and tabs: what a node or a receiver said moves no cursor, sets no title, and hides
 * no line. A run's engine is asked for no colours, so none is lost.
 */
export const plainText = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  text.replace(/\r\n/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
