/** Names of classes, joined; what is not a name is left out. Pure. */
export const classes = (...names: readonly (string | false | null | undefined)[]): string =>
  names.filter(Boolean).join(" ");
