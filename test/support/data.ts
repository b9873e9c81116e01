/**
 * Real models and images for tests, outside the project: `EDGEWRIGHT_TEST_DATA` names the folder. A suite that needs it
 * reads `describe.skipIf(!testData)("... (needs EDGEWRIGHT_TEST_DATA)", ...)`, so that a skip is seen by name.
 */
import { join } from "node:path";

export const testData = process.env.EDGEWRIGHT_TEST_DATA;

export function dataPath(...parts: string[]): string {
  if (!testData) throw new Error("EDGEWRIGHT_TEST_DATA is not set");
  return join(testData, ...parts);
}
