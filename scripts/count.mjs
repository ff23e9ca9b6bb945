// Prints `N passed, M failed` from the report that vitest leaves under CI=true (see vitest.config.ts).
import { existsSync, readFileSync } from "node:fs";

const report = new URL("../out/tests.json", import.meta.url);
let passed = 0;
let failed = 1; // no report: the tests did not run
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, success, testResults } = JSON.parse(readFileSync(report, "utf8"));
  // A file that fails to load holds no failed test.
  const broken = testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  );
  passed = numPassedTests;
  failed = numFailedTests + broken.length;
  if (!success && failed === 0) failed = 1; // an error outside any test
}
console.log(`${passed} passed, ${failed} failed`);
