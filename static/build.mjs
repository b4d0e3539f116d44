// Builds what the browser loads into static/build/: one style sheet, three fonts, one sprite of
// icons, the mark as an icon of an installed page, the scripts of the scanner with the decoder of QR codes, each under a name that carries a
// hash of its content, and manifest.json that maps the plain names to these; and pdf-fonts/ with the
// fonts of the PDFs. The same sources always give the same bytes.

import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { Resvg } from "@resvg/resvg-js";
import { build } from "esbuild";
import { transform } from "lightningcss";
import { PurgeCSS } from "purgecss";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = join(here, "build");
const kern = join(root, "node_modules", "@kern-ux", "native", "dist");

// The cascade of the project's own rules: parts before what arranges them, print last.
const SHEETS = ["base", "shell", "parts", "rows", "tables", "forms", "questions", "charts", "attendance", "scanner", "print"];

const WEIGHTS = { 400: "Regular", 500: "Medium", 600: "SemiBold" };

// PDFs are set in Fira Sans; Noto Sans has the letters that Fira lacks. Whole, as core/documents.py
// reads from them which letters there are; only what a page uses travels in a PDF.
const PDF_FONTS = ["fira-sans/*/FiraSans_*.ttf", "noto-sans/*/NotoSans_*.ttf"];

// What German registers allow in names (DIN 91379), and the punctuation of running text.
const LETTERS = [
  [0x20, 0x7e], [0xa0, 0x24f], // Basic Latin to Latin Extended-B
  [0x2b0, 0x2ff], [0x300, 0x36f], // modifier letters, combining marks
  [0x1e00, 0x1eff], // Latin Extended Additional, with Vietnamese
  [0x2000, 0x206f], [0x20ac, 0x20ac], [0x2116, 0x2122], [0x2190, 0x2193], [0x2212, 0x2212],
];
// Kerning, the placing of marks, and tabular figures; without small capitals and alternates.
const FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "liga", "tnum"];

// What WTForms writes and no template spells out.
const FORM_CONTROLS = `<input type="file checkbox radio" disabled readonly="readonly"><textarea disabled>
  <select disabled="disabled"><option>`;

const manifest = {};

async function publish(name, content, { compressed = false } = {}) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8);
  const dot = name.lastIndexOf(".");
  const file = `${name.slice(0, dot)}.${hash}${name.slice(dot)}`;
  await writeFile(join(target, file), content);
  if (compressed) await writeFile(join(target, `${file}.gz`), gzipSync(content, { level: 9 }));
  manifest[name] = file;
  return file;
}

async function readIcons() {
  const folder = join(here, "icons");
  const icons = new Map();
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".svg")).sort()) {
    icons.set(file.slice(0, -4), (await readFile(join(folder, file), "utf8")).trim());
  }
  return icons;
}

function sprite(icons) {
  const symbols = [...icons].map(([name, svg]) =>
    svg.replace(/ xmlns="[^"]*"/, "").replace("<svg", `<symbol id="${name}"`).replace("</svg>", "</symbol>"));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

async function fontFaces() {
  const text = LETTERS.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i))).join("");
  const faces = await Promise.all(Object.entries(WEIGHTS).map(async ([weight, cut]) => {
    const font = await readFile(join(kern, "fonts", "fira-sans", `FiraSans-${cut}.woff2`));
    const subset = await subsetFont(font, text, { targetFormat: "woff2", keepFeatures: FEATURES });
    const file = await publish(`fira-sans-${weight}.woff2`, subset);
    return `@font-face{font-family:"Fira Sans";src:url(${file}) format("woff2");font-weight:${weight};font-display:swap}`;
  }));
  return faces.join("\n");
}

async function copyPdfFonts() {
  const folder = join(target, "pdf-fonts");
  await mkdir(folder);
  for (const pattern of PDF_FONTS) {
    for (const [weight, cut] of Object.entries(WEIGHTS)) {
      const font = pattern.replaceAll("*", `${weight}${cut}`);
      await copyFile(join(root, "node_modules", "@expo-google-fonts", font), join(folder, basename(font)));
    }
  }
}

// `url("icon:NAME")` in a sheet stands for the drawing itself, so that a rule can mask with it.
function withIcons(css, icons) {
  return css.replace(/url\("icon:([a-z-]+)"\)/g, (_, name) => {
    if (!icons.has(name)) throw new Error(`no such icon: ${name}`);
    const svg = icons.get(name).replace("currentColor", "#000").replaceAll('"', "'").replaceAll("#", "%23");
    return `url("data:image/svg+xml,${svg}")`;
  });
}

// KERN's sheet with three selectors put differently. Each must be found: where a new release of
// KERN writes them in another way, the build stops instead of losing the colours.
function adapted(css) {
  const changes = [
    // KERN keeps its dark tokens on paper. Dark is for screens only, light for print too.
    [/@media\s*\(prefers-color-scheme:\s*dark\)/, "@media screen and (prefers-color-scheme: dark)"],
    [/@media\s*\(prefers-color-scheme:\s*light\)/, "@media print, (prefers-color-scheme: light)"],
    // The purge does not look into `:is()` and would drop the contextual tokens of the page.
    [/:is\(body,[^)]*\):not\([^)]*\)/, "body"],
  ];
  return changes.reduce((text, [from, to]) => {
    if (!from.test(text)) throw new Error(`KERN has no ${from} any more`);
    return text.replace(from, to);
  }, css);
}

// Only KERN is cut. Our own rules are written by hand and kept; the tokens that they use are kept
// by a rule that stands for them and is taken out again.
async function cutKern(own) {
  const tokens = [...new Set(own.match(/--kern-[\w-]+/g))].map((token) => `var(${token})`);
  const standIn = `.tr-own{content:${tokens.join(" ")}}`;
  const source = adapted(await readFile(join(kern, "kern.min.css"), "utf8"));
  const [cut] = await new PurgeCSS().purge({
    content: [join(root, "templates", "**", "*.html"), { raw: FORM_CONTROLS, extension: "html" }],
    css: [{ raw: source + standIn }],
    safelist: ["tr-own"],
    variables: true,
    keyframes: true,
  });
  return cut.css.replace(standIn, "");
}

async function styleSheet(icons) {
  const faces = await fontFaces();
  const sheets = await Promise.all(SHEETS.map((name) => readFile(join(here, "css", `${name}.css`), "utf8")));
  const own = withIcons(sheets.join("\n"), icons);
  const source = [faces, await cutKern(own), own].join("\n");
  return transform({ filename: "app.css", code: Buffer.from(source), minify: true }).code;
}

// What pages load by name; the other files of static/js are bundled into these.
const SCRIPTS = ["scanner", "detector", "ready", "offline", "leave"];
const WORKER = "worker";

async function script(name, format) {
  const result = await build({
    entryPoints: [join(here, "js", `${name}.js`)],
    bundle: true, minify: true, write: false, format, target: "es2022", legalComments: "none", logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

// What a phone shows of an installed page, drawn from the mark: size, and how much of it the mark takes.
// Phones cut a maskable one to a circle or a square with round corners, and Apple puts black behind what is
// transparent: these two get a ground.
const APP_ICONS = {
  "icon-192.png": { size: 192, share: 0.9 },
  "icon-512.png": { size: 512, share: 0.9 },
  "icon-maskable-512.png": { size: 512, share: 0.5, ground: "#fff" },
  "apple-touch-icon.png": { size: 180, share: 0.65, ground: "#fff" },
};

function drawIcon(mark, { size, share, ground }) {
  const edge = 50 * (1 - share);
  const inside = mark.replace("<svg", `<svg x="${edge}" y="${edge}" width="${100 * share}" height="${100 * share}"`);
  const behind = ground ? `<rect width="100" height="100" fill="${ground}"/>` : "";
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">${behind}${inside}</svg>`;
  return new Resvg(svg, { fitTo: { mode: "width", value: size }, font: { loadSystemFonts: false } }).render().asPng();
}

// The decoder of the version that barcode-detector itself depends on.
async function decoder() {
  const detector = createRequire(import.meta.url).resolve("barcode-detector/ponyfill");
  return readFile(createRequire(detector).resolve("zxing-wasm/reader/zxing_reader.wasm"));
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const icons = await readIcons();
await publish("icons.svg", Buffer.from(sprite(icons)), { compressed: true });
const mark = await readFile(join(here, "mark.svg"), "utf8");
await publish("mark.svg", Buffer.from(mark));
for (const [name, icon] of Object.entries(APP_ICONS)) await publish(name, drawIcon(mark, icon));
const css = Buffer.from(await styleSheet(icons));
await publish("app.css", css, { compressed: true });
for (const name of SCRIPTS) await publish(`${name}.js`, await script(name, "esm"), { compressed: true });
await publish(`${WORKER}.js`, await script(WORKER, "iife"), { compressed: true });
await publish("zxing.wasm", await decoder(), { compressed: true });
const sorted = Object.fromEntries(Object.entries(manifest).sort());
await copyPdfFonts();
await writeFile(join(target, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
console.log(`static/build: app.css ${css.length} bytes, ${gzipSync(css, { level: 9 }).length} with gzip`);
