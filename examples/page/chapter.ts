import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Output } from "@cotangent/nn/node";
import { page } from "./html.ts";
import { outFolder } from "./places.ts";

/** One chapter of the story: a section of the page, made from the numbers of the run that returned it. */
export interface Chapter {
  /** Names the section: `perceptron`. */
  readonly id: string;
  /** Its heading. */
  readonly title: string;
  /** The section as HTML. */
  readonly html: string;
}

export interface ChapterOptions {
  /** The share of the steps and starts to spend, 1 unless given: tests take little. */
  readonly effort?: number;
  /** Where progress goes; `process.stderr` unless given. */
  readonly output?: Output;
}

/** What an example file exports: it runs, prints its numbers and returns its chapter. */
export type Tell = (options?: ChapterOptions) => Promise<Chapter>;

/** A share of `count`, at least 2. */
export function share(count: number, effort: number): number {
  return Math.max(2, Math.round(count * effort));
}

const ofStory = "One chapter of the story; <code>npm start</code> tells it all.";

/** When the file at `moduleUrl` is what Node was started with: runs its chapter and writes it as a page of its own. */
export async function runAlone(moduleUrl: string, tell: Tell, lead: string = ofStory): Promise<void> {
  if (process.argv[1] !== fileURLToPath(moduleUrl)) return;
  const { id, title, html } = await tell();
  const folder = fileURLToPath(new URL(id, outFolder));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "index.html"), page(title, lead, html));
  console.log(`report out/${id}/index.html`);
}
