import { style } from "./style.ts";

/** A page that needs no other file. */
export function page(title: string, lead: string, ...sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
${style}
</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p class="lead">${lead}</p>
</header>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

export function section(id: string, heading: string, ...parts: readonly string[]): string {
  return `<section id="${id}">\n<h2>${heading}</h2>\n${parts.join("\n")}\n</section>`;
}

/** Links to the sections, by their ids. */
export function contents(entries: readonly (readonly [id: string, title: string])[]): string {
  const items = entries.map(([id, title]) => `<li><a href="#${id}">${title}</a></li>`);
  return `<nav aria-label="Contents">\n<ol>\n${items.join("\n")}\n</ol>\n</nav>`;
}

/** Hyphens before digits as minus signs. */
export function minus(text: string): string {
  return text.replace(/-(?=\d)/g, "−");
}

/** `3.1 × 10⁻¹²`. */
export function power(x: number): string {
  if (x === 0) return "0";
  const [mantissa = "", exponent = ""] = x.toExponential(1).split("e");
  const factor = mantissa === "1.0" ? "" : `${mantissa} × `;
  return `<span class="number">${factor}10<sup>${exponent.replace("-", "−").replace("+", "")}</sup></span>`;
}

export function paragraph(text: string): string {
  return `<p>${text}</p>`;
}

/** Pictures with a caption; `layout` names the class of the style that arranges them. */
export function figure(caption: string, pictures: readonly string[], layout = "single"): string {
  return `<figure class="${layout}">\n<div class="pictures">\n${pictures.join("\n")}\n</div>\n<figcaption>${caption}</figcaption>\n</figure>`;
}

/** One of several pictures, with a title above it and a line below. */
export function panel(title: string, picture: string, below: string): string {
  return `<div class="panel"><h3>${title}</h3>${picture}<p>${below}</p></div>`;
}

/** A table whose first column names the row and whose others are numbers. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const headings = head.map((cell) => `<th scope="col">${cell}</th>`).join("");
  const body = rows.map(
    ([name = "", ...cells]) =>
      `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`,
  );
  return `<figure class="table">
<div class="pictures"><table>
<thead><tr>${headings}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table></div>
<figcaption>${caption}</figcaption>
</figure>`;
}

export function code(text: string): string {
  return `<pre><code>${text.replace(/&/g, "&amp;").replace(/</g, "&lt;")}</code></pre>`;
}
