/**
 * Classes from the words or numbers that name them: numbers in their order, words in code-unit order.
 * Whole numbers 0..K-1 therefore keep their value as the label.
 */
export function classesOf(values: readonly string[]): { labels: Int32Array; classes: string[] } {
  const distinct = [...new Set(values)];
  const numeric = distinct.every((v) => v !== "" && Number.isFinite(Number(v)));
  const classes = distinct.toSorted((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  const index = new Map(classes.map((name, i) => [name, i]));
  return { labels: Int32Array.from(values, (v) => index.get(v) ?? 0), classes };
}
