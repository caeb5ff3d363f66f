import { Html } from "./html.ts";

/** The look of a report: system fonts, light and dark, from a phone's width up. */
export const style = new Html(`
:root {
  color-scheme: light dark;
  --ink: #1c1e21; --faint: #5d636b; --line: #dde0e4; --paper: #ffffff; --panel: #f5f6f8;
  --warning: #a33a00;
  --series-1: #0068a8; --series-2: #d05500; --series-3: #00805e;
  --series-4: #a34a86; --series-5: #7d6b00; --series-6: #5c6066;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7e9ec; --faint: #a3a9b1; --line: #363a40; --paper: #16181b; --panel: #202327;
    --warning: #ffab73;
    --series-1: #62b6f0; --series-2: #f39a4c; --series-3: #45cfa2;
    --series-4: #e29bc8; --series-5: #dccb5a; --series-6: #b4bac2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 72rem; padding: 2.5rem 1.5rem 5rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0 0 0.75rem; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 3.5rem 0 1rem; font-size: 1.25rem; }
p { max-width: 44rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
figure { margin: 0; min-width: 0; }
figcaption { margin-bottom: 0.5rem; color: var(--faint); }
figcaption b { color: var(--ink); font-weight: 600; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
code, pre { font: 0.875rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0 0 1.25rem; padding: 0.9rem 1.1rem; overflow-x: auto; background: var(--panel); border-radius: 6px; }
.pair { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.pair img { width: 100%; max-width: 32.5rem; }
.charts { display: grid; gap: 2.25rem 2.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); }
.small.charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.chart svg { width: 100%; }
.legend { display: inline-flex; flex-wrap: wrap; gap: 0 1rem; margin-left: 0.75rem; }
.key { white-space: nowrap; }
.runs { margin: 0; padding: 0; list-style: none; }
.runs .key { white-space: normal; }
.runs b { font-weight: 600; margin-right: 0.5rem; }
i[style] { display: inline-block; width: 0.9rem; height: 0.2rem; margin-right: 0.4rem; vertical-align: 0.25rem; border-radius: 1px; }
.faint { color: var(--faint); font-size: 0.9rem; margin: 1rem 0; max-width: none; }
td .faint { margin: 0; font-size: 0.8rem; white-space: nowrap; }
td p { max-width: 20rem; font-size: 0.9rem; }
.warning { color: var(--warning); font-size: 0.9rem; margin: 0.5rem 0; }
.strip { display: flex; height: 1.1rem; margin: 0.5rem 0 0.75rem; overflow: hidden; border-radius: 4px; }
.strip i { width: auto; min-width: 2px; height: auto; margin: 0; border-radius: 0; }
.early { background: var(--line); } .calm { background: var(--series-3); } .alarm { background: var(--series-2); }
.said { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 0 0 1.5rem; padding: 0; list-style: none; color: var(--faint); font-size: 0.9rem; }
.said i { display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.4rem; border-radius: 2px; }
#viewer img { width: 100%; max-width: 32.5rem; }
#viewer label { display: block; max-width: 32.5rem; margin: 0 0 1rem; }
#viewer input { display: block; width: 100%; margin: 0.5rem 0; }
#film { display: flex; gap: 0.75rem; margin: 1.25rem 0 0; padding: 0 0 0.75rem; overflow-x: auto; list-style: none; }
#film li { flex: 0 0 7.5rem; }
#film figcaption { margin: 0.25rem 0 0; font-size: 0.85rem; text-align: center; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: 0.4rem 1.5rem 0.4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
th { font-weight: 400; color: var(--faint); white-space: nowrap; }
td { overflow-wrap: anywhere; }
.trials td { white-space: nowrap; }
thead th { color: var(--ink); }
#moments td { min-width: 8rem; max-width: 12rem; padding-right: 0.75rem; cursor: pointer; }
#moments th { white-space: normal; }
`);

/** Shows one sample grid at a time; without it, the strip of all of them stays. */
export const script = new Html(`
const frames = [...document.querySelectorAll("#film figure")];
const viewer = document.querySelector("#viewer");
if (viewer) {
  const slider = viewer.querySelector("input");
  const show = () => {
    const frame = frames[slider.value];
    viewer.querySelector("img").src = frame.querySelector("img").src;
    viewer.querySelector("img").alt = frame.querySelector("img").alt;
    viewer.querySelector("output").textContent = frame.querySelector("figcaption").textContent;
  };
  slider.addEventListener("input", show);
  frames.forEach((frame, i) => frame.addEventListener("click", () => { slider.value = i; show(); }));
  show();
  viewer.hidden = false;
}
`);
