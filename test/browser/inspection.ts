import { openPage } from "../../scripts/chromium.mjs";

/** What a browser makes of a page. */
export interface Inspection {
  /** The width that the page was given. */
  readonly width: number;
  /** How many pictures it has. */
  readonly pictures: number;
  /** What is wrong with it: broken or empty pictures, things that stick out, requests. */
  readonly faults: readonly string[];
}

/** Opens a copy of the page that may load nothing and looks at everything it draws. */
export function inspectPage(html: string, width: number): Inspection {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
  const head =
    `<meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<script>(${look.toString()})();</script>`;
  const copy = html.replace("<head>", () => `<head>${head}`);
  // In a frame: a window cannot be as narrow as a telephone.
  const frame = `<iframe width="${width}" height="800" style="border: 0" srcdoc="${quoted(copy)}"></iframe>`;
  const { document, stderr } = openPage(`<!doctype html><meta charset="utf-8">${frame}`, {
    width: width + 100,
  });
  const found = /<html[^>]* data-found="([^"]*)"/.exec(document)?.[1];
  if (found === undefined)
    throw new Error(`The page was not inspected: ${document.slice(0, 200)}\n${stderr}`);
  return JSON.parse(decodeURIComponent(found)) as Inspection;
}

const quoted = (text: string): string => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

/** Runs in the page: all it needs stands inside. */
function look(): void {
  const faults: string[] = [];
  const root = document.documentElement;
  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => {
    faults.push(`asks for ${blockedURI}`);
  });
  addEventListener("load", () => {
    const pictures = [...document.querySelectorAll("svg, img, canvas")];
    for (const picture of pictures) {
      const name = picture.getAttribute("aria-label") ?? picture.getAttribute("alt") ?? "without a name";
      const { width, height, left, right } = picture.getBoundingClientRect();
      if (!(width >= 40 && height >= 40)) faults.push(`has no size: ${name}`);
      if (!picture.closest(".scroll") && (left < -1 || right > innerWidth + 1))
        faults.push(`sticks out: ${name}`);
      if (!isDrawn(picture)) faults.push(`is empty: ${name}`);
      if (/\bd="[^"]*NaN|="NaN"/.test(picture.outerHTML)) faults.push(`has NaN: ${name}`);
    }
    if (root.scrollWidth > innerWidth) faults.push("the page is wider than its window");
    const found = { width: innerWidth, pictures: pictures.length, faults };
    parent.document.documentElement.setAttribute("data-found", encodeURIComponent(JSON.stringify(found)));
  });

  function isDrawn(picture: Element): boolean {
    if (picture instanceof HTMLImageElement) return picture.complete && picture.naturalWidth > 0;
    if (picture instanceof HTMLCanvasElement) {
      const pixels = picture.getContext("2d")?.getImageData(0, 0, picture.width, picture.height).data;
      return pixels === undefined || pixels.some((value) => value > 0);
    }
    // Axes, grids and frames alone are no picture.
    const around = "[aria-label*='axis'], [aria-label*='grid'], [aria-label='frame'], defs";
    const shapes = [...picture.querySelectorAll("path, circle, rect, line, polyline, polygon")];
    const frame = picture.getBoundingClientRect();
    return shapes.some((shape) => {
      if (shape.closest(around)) return false;
      const box = shape.getBoundingClientRect();
      const { fill, stroke, opacity, visibility } = getComputedStyle(shape);
      const inside =
        box.right > frame.left && box.left < frame.right && box.bottom > frame.top && box.top < frame.bottom;
      const painted = [fill, stroke].some((paint) => !/^(?:none|transparent|rgba\(.*, 0\))$/.test(paint));
      return (
        box.width + box.height > 1 && inside && painted && Number(opacity) > 0 && visibility === "visible"
      );
    });
  }
}
