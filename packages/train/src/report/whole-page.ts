import sharp from "sharp";
import { html, type Html } from "./html.ts";
import { style } from "./page-style.ts";

/** One file that asks nothing of any network: it allows itself pictures and script of its own only. */
export function wholePage(page: { title: string; main: Html; script: Html }): Html {
  const policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <title>${page.title} · Duelo</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <main>${page.main}</main>
        <script>
          ${page.script};
        </script>
      </body>
    </html> `;
}

/** A picture inside a page. */
export interface Picture {
  readonly src: string;
  readonly width: number;
  readonly height: number;
}

export const image = ({ src, width, height }: Picture, alt: string): Html =>
  html`<img src="${src}" width="${width}" height="${height}" alt="${alt}" />`;

/** A PNG as a data URI, at most `maxWidth` pixels wide, in a form that is smaller than PNG. */
export async function embed(
  png: Uint8Array,
  { maxWidth = 1024 }: { readonly maxWidth?: number } = {},
): Promise<Picture> {
  const { data, info } = await sharp(png)
    .resize({ width: maxWidth, withoutEnlargement: true })
    .webp({ quality: 90, smartSubsample: true })
    .toBuffer({ resolveWithObject: true });
  const src = `data:image/webp;base64,${data.toString("base64")}`;
  return { src, width: info.width, height: info.height };
}
