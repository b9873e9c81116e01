/** Any error as the user sees it: once, here. What we raised keeps its code and fix; a system's error gets ours. */
import { OperationalError, UserError } from "../../nodes/context.ts";
import type { StepError } from "./protocol.ts";

export function describeError(error: unknown): StepError {
  if (!(error instanceof Error)) return { code: "internal", message: String(error) };
  const { message, stack } = error;
  if (error instanceof UserError || error instanceof OperationalError) {
    return { code: error.code, message, ...(error.fix !== undefined && { fix: error.fix }) };
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const fix = "Free some space: edgewright clean removes the oldest results.";
    return { code: "disk-full", message: "the disk of the workspace is full", fix };
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return { code: "no-access", message, fix: "Give this user the right to read and write there." };
  }
  // The words of onnx/, which cannot import our classes: lower-case codes, where the system's are upper-case.
  if (code !== undefined && /^[a-z][a-z0-9-]*$/.test(code)) {
    return { code, message, ...("fix" in error && typeof error.fix === "string" && { fix: error.fix }) };
  }
  if (error instanceof RangeError && /allocation failed|Invalid typed array length/i.test(message)) {
    return { code: "out-of-memory", message: "the step needs more memory than there is", fix: "Use a smaller input." };
  }
  return { code: "internal", message: message || error.name, ...(stack !== undefined && { stack }) };
}
