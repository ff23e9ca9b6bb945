import type { Tensor } from "@cotangent/autograd";
import { grad, toDot, topology } from "@cotangent/autograd";
import { instance } from "@viz-js/viz";

/** The graph of `y` as SVG text: in each node its value and below it, behind `∂`, the derivative of `y` by it. */
export async function graphPicture(y: Tensor, description: string): Promise<string> {
  const nodes = topology([y.node]).nodes.filter(({ dtype }) => dtype === "float32" || dtype === "float64");
  const gradients = new Map(grad(y, nodes).map((g, i) => [nodes[i]!, g]));
  const notes = (node: Tensor) => {
    const g = gradients.get(node);
    return [...rows(node, "="), ...(g === undefined ? [] : rows(g, "∂"))];
  };
  const viz = await instance();
  const svg = viz.renderString(downwards(toDot([y], { notes })), {
    format: "svg",
    graphAttributes: { bgcolor: "transparent", ranksep: 0.3, nodesep: 0.25 },
    nodeAttributes: { fontname: "Courier", fontsize: 12, margin: "0.1,0.06" },
    edgeAttributes: { arrowsize: 0.7 },
  });
  return dressed(svg, description);
}

/**
 * From the leaves at the top to the result at the bottom, each node right below its first operand; with round corners
 * instead of ellipses, which take more room.
 */
function downwards(dot: string): string {
  return dot
    .replace("rankdir=BT", "rankdir=TB")
    .replaceAll("shape=ellipse", "shape=box, style=rounded")
    .replace(/(\];\n {2}n\d+ -> n\d+);/g, "$1 [weight=9];");
}

/** The elements, one row of the matrix a line. */
function rows(x: Tensor, sign: string): string[] {
  const width = x.shape.at(-1) ?? 1;
  const texts = Array.from(x.toTypedArray(), (element) => element.toFixed(4).replace("-", "−").padStart(7));
  const lines = Array.from({ length: texts.length / width }, (_, i) =>
    texts.slice(i * width, (i + 1) * width),
  );
  return lines.map((line) => `${sign} ${line.join(" ")}`);
}

/** Leaves the colours to the page's style, and drops what Graphviz adds for itself. */
function dressed(svg: string, description: string): string {
  return svg
    .slice(svg.indexOf("<svg"))
    .replace(/<!--.*?-->\n?/gs, "")
    .replace(/<title>.*?<\/title>\n?/gs, "")
    .replace(
      /<svg width="(\d+)pt" height="\d+pt"/,
      `<svg class="graph" role="img" aria-label="${description}" style="max-width: $1px"`,
    )
    .replace(/<text ([^>]*)>∂/g, '<text class="derivative" $1>∂')
    .replace(/ (?:fill|stroke)="(?:black|none)"/g, "");
}
