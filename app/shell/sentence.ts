/** Messages come as sentences or as parts of one; shown alone they begin with a capital. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What went wrong, in the words of whoever noticed it. */
export const messageOf = (error: unknown): string => sentence(error instanceof Error ? error.message : String(error));
