/** Lines of a text file one by one, with flat memory: only the line at hand is held. */
import { createReadStream } from "node:fs";
import { UserError } from "../context.ts";

export interface Line {
  /** From 1 on. */
  readonly number: number;
  readonly text: string;
}

/** Characters of one line: far more than an example has, far less than memory. */
const LONGEST_LINE = 2 ** 25;

/** Lines that are not blank. Throws `line-too-long`. */
export async function* linesOf(path: string): AsyncGenerator<Line> {
  let number = 0;
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 2 ** 18 })) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) {
      throw new UserError(
        "line-too-long",
        `Line ${number + lines.length + 1} is longer than ${LONGEST_LINE} characters.`,
        "Write one example a line.",
      );
    }
    for (const text of lines) {
      number++;
      if (text.trim() !== "") yield { number, text };
    }
  }
  if (rest.trim() !== "") yield { number: number + 1, text: rest };
}
