/** Messages come as sentences or as parts of one; shown alone they begin with a capital. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What went wrong, in the words of whoever noticed it; of a line that broke the browsers say nothing of use. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return sentence(String(error));
  const broken = [error, error.cause].some(
    (e) => e instanceof TypeError && /fetch|network|load failed/i.test(e.message),
  );
  return broken ? "The server does not answer. Start it again: nothing here is lost." : sentence(error.message);
}
