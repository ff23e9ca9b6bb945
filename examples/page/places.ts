const isBuilt = import.meta.url.includes("/dist/page/");

/** The folder of the examples, whether this runs as it was written or as it was built. */
export const examplesFolder: URL = new URL(isBuilt ? "../../" : "../", import.meta.url);

/** Where reports and fetched data go. */
export const outFolder: URL = new URL("../out/", examplesFolder);
