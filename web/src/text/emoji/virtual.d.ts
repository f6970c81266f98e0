/** Made by `emoji-table.ts` when the client is built. */
declare module "virtual:emoji-names" {
  /** Category, and a line for each of its emoji: "👋^ wave waving". */
  const names: readonly (readonly [string, string])[];
  export default names;
}

declare module "virtual:emoji-words" {
  /** A line for each emoji, in the order of the names: "waving hand|hello hi". */
  const words: string;
  export default words;
}
