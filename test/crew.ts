import { runBy } from "../packages/autograd/src/compile/run.ts";
import { Crew } from "../packages/autograd/src/crew.ts";

/** What `f` compiles is run by so many threads from its first call on, each kernel that can be divided by all of them. */
export function withCrew(size: number, f: (crew: Crew) => void): void {
  const crew = new Crew(size, { fewest: 1, isSteady: true });
  runBy({
    size,
    get areThere() {
      return crew.areThere;
    },
    divides: (kernel) => crew.divides(kernel),
    *program(...given) {
      const made = yield* crew.program(...given);
      crew.catchUp();
      return made;
    },
  });
  try {
    f(crew);
  } finally {
    runBy(null);
    crew.dismiss();
  }
}
