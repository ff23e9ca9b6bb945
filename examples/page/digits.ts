const side = 28;
const levels = 4;

/** A picture of a digit from its ink, in a few shades: one path for each. */
export function digitPicture(ink: ArrayLike<number>, description: string): string {
  const paths = Array.from({ length: levels }, (_, level) => {
    const least = (level + 0.5) / levels;
    let path = "";
    for (let i = 0; i < side * side; i++)
      if (ink[i]! >= least) path += `M${i % side} ${Math.floor(i / side)}h1v1h-1z`;
    return `<path d="${path}" fill="currentColor" fill-opacity="${1 / levels}"/>`;
  });
  return `<svg class="plot" role="img" aria-label="${description}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}">${paths.join("")}</svg>`;
}
