/** What a look at something gave: a value, or why it was not measured. Never an exception. */
export type Look<T> = { readonly value: T } | { readonly missing: string };

/** Settles a look; a failure becomes its reason. */
export async function look<T>(measure: () => Promise<T>): Promise<Look<T>> {
  try {
    return { value: await measure() };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
