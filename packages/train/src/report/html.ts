const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it must be written in an element or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char);
}

/** A piece of a page that is HTML already. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What `html` takes between its words; strings and numbers are escaped. */
export type HtmlValue = Html | string | number | readonly Html[];

/** HTML in which everything that was put in is escaped, unless it is HTML itself. */
export function html(words: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(String.raw({ raw: words }, ...values.map(textOf)));
}

function textOf(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(({ text }) => text).join("");
  return escapeHtml(String(value));
}

/** Several pieces, one after the other. */
export const join = (parts: readonly Html[]): Html =>
  new Html(parts.map(({ text }) => text).join("\n"));
