// A chart on the page as a file of its own: with its title and its legend, and with colours and fonts written out,
// since the style sheet stays behind.

const styled = [
  'fill-opacity',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'stroke-linejoin',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'font-variant-numeric',
  'text-anchor',
  'dominant-baseline',
] as const;

/** What only the page has a use for. */
const pageOnly = ['class', 'style', 'role', 'tabindex', 'aria-label', 'aria-hidden', 'data-cell'];

const namespace = 'http://www.w3.org/2000/svg';
const padding = 12;
const titleHeight = 28;
const rowHeight = 20;
const swatch = 20;

/** A chart as it stands on the page. */
export interface Picture {
  readonly title: string;
  readonly svg: SVGSVGElement;
  /** Its keys, elements of Legend.svelte; null where it needs none. */
  readonly legend: HTMLElement | null;
}

/** The chart as the text of an SVG file, on the page's background. */
export function pictureText(picture: Picture): string {
  return new XMLSerializer().serializeToString(compose(picture));
}

/** The chart as a PNG data URL at twice its size on screen. */
export async function picturePng(picture: Picture): Promise<string> {
  const svg = compose(picture);
  const [width, height] = [Number(svg.getAttribute('width')), Number(svg.getAttribute('height'))];
  const image = new Image();
  const text = new XMLSerializer().serializeToString(svg);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width * 2, height * 2];
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This window has no canvas to draw on.');
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}

function compose({ title, svg, legend }: Picture): SVGSVGElement {
  const { width, height } = svg.getBoundingClientRect();
  const chart = styledCopy(svg) as SVGSVGElement;
  place(chart, { x: padding, y: padding + titleHeight, width, height });
  const keys = legend ? legendRows(legend, width) : [];
  const rows = Math.max(0, ...keys.map(({ row }) => row + 1));
  const whole = {
    width: Math.ceil(width + 2 * padding),
    height: Math.ceil(titleHeight + height + rows * rowHeight + 2 * padding),
  };
  const out = make('svg', whole);
  const heading = make('text', { x: padding, y: padding + 13, fill: colourOf('--text') });
  heading.textContent = title;
  writeFont(heading, '13px', '600');
  const bottom = padding + titleHeight + height;
  out.append(
    make('rect', { ...whole, fill: getComputedStyle(document.body).backgroundColor }),
    heading,
    chart,
    ...keys.flatMap((key) => drawKey(key, bottom)),
  );
  return out as SVGSVGElement;
}

/** The element and all in it with what the style sheet says of them; what cannot be seen is left out. */
function styledCopy(original: Element): Element {
  const copy = original.cloneNode(false) as Element;
  for (const name of pageOnly) copy.removeAttribute(name);
  const computed = getComputedStyle(original);
  for (const name of styled) copy.setAttribute(name, computed.getPropertyValue(name));
  for (const paint of ['fill', 'stroke'] as const) {
    const { colour, opacity } = solid(computed.getPropertyValue(paint));
    copy.setAttribute(paint, colour);
    if (opacity === 1) continue;
    const own = Number(computed.getPropertyValue(`${paint}-opacity`));
    copy.setAttribute(`${paint}-opacity`, String(own * opacity));
  }
  for (const child of original.childNodes) {
    if (child instanceof Element) {
      if (isSeen(child)) copy.append(styledCopy(child));
    } else if (child.nodeType === Node.TEXT_NODE) copy.append(child.cloneNode());
  }
  return copy;
}

/** Shapes without paint are there for the pointer alone. */
function isSeen(element: Element): boolean {
  const { fill, stroke, display } = getComputedStyle(element);
  if (display === 'none') return false;
  if (element.childElementCount > 0 || element instanceof SVGTextElement) return true;
  return [fill, stroke].some((paint) => solid(paint).colour !== 'none');
}

/** A computed colour as file formats know it: opaque, with its opacity beside it. */
function solid(colour: string): { readonly colour: string; readonly opacity: number } {
  const parts = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(colour);
  if (!parts) return { colour, opacity: 1 };
  const [, red, green, blue, alpha] = parts;
  const opacity = Number(alpha);
  return { colour: opacity === 0 ? 'none' : `rgb(${red}, ${green}, ${blue})`, opacity };
}

interface Key {
  readonly mark: Element | null;
  readonly title: string;
  readonly x: number;
  readonly row: number;
}

/** The keys in rows as wide as the chart. */
function legendRows(legend: HTMLElement, width: number): readonly Key[] {
  let [x, row] = [0, 0];
  return Array.from(legend.querySelectorAll('li:not(.note)'), (item) => {
    const title = item.querySelector('.title')?.textContent ?? '';
    const length = swatch + textWidth(title) + 16;
    if (x > 0 && x + length > width) [x, row] = [0, row + 1];
    const key = { mark: item.querySelector('svg'), title, x, row };
    x += length;
    return key;
  });
}

function drawKey({ mark, title, x, row }: Key, top: number): readonly Element[] {
  const y = top + row * rowHeight;
  const text = make('text', { x: padding + x + swatch, y: y + 14, fill: colourOf('--text') });
  text.textContent = title;
  writeFont(text, '11px', '400');
  if (!mark) return [text];
  const copy = styledCopy(mark) as SVGSVGElement;
  place(copy, { x: padding + x, y: y + 6, width: 14, height: 8 });
  return [copy, text];
}

function textWidth(text: string): number {
  const context = document.createElement('canvas').getContext('2d');
  if (!context) return text.length * 7;
  context.font = `11px ${fontFamily()}`;
  return context.measureText(text).width;
}

function make(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(namespace, name);
  place(element, attributes);
  return element;
}

function place(element: Element, attributes: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

function writeFont(element: Element, size: string, weight: string): void {
  place(element, { 'font-family': fontFamily(), 'font-size': size, 'font-weight': weight });
}

const fontFamily = (): string => getComputedStyle(document.body).fontFamily;

/** A design token as the page shows it: light-dark() and var() are resolved by the browser. */
function colourOf(token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
