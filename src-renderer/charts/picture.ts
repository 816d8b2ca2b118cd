// A chart on the page as a file of its own: colours and fonts are written out, since the style sheet stays behind.

const styled = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'dominant-baseline',
] as const;

/** The SVG element as text, on the page's background colour. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, index) => {
    const original = originals[index];
    if (original) writeOutStyle(original, element);
  });
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  copy.removeAttribute('class');
  copy.prepend(background(width, height));
  return new XMLSerializer().serializeToString(copy);
}

function writeOutStyle(original: Element, element: Element): void {
  const computed = getComputedStyle(original);
  for (const name of styled) element.setAttribute(name, computed.getPropertyValue(name));
  element.removeAttribute('class');
  element.removeAttribute('style');
}

function background(width: number, height: number): SVGRectElement {
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  rect.setAttribute('width', String(width));
  rect.setAttribute('height', String(height));
  rect.setAttribute('fill', canvasColour());
  return rect;
}

function canvasColour(): string {
  return getComputedStyle(document.body).backgroundColor;
}

/** The SVG element as a PNG data URL at twice its size on screen. */
export async function svgPng(svg: SVGSVGElement): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(svg))}`;
  await image.decode();
  const { width, height } = svg.getBoundingClientRect();
  return draw(image, width * 2, height * 2);
}

/** A canvas as a PNG data URL on the page's background colour. */
export function canvasPng(source: HTMLCanvasElement): string {
  return draw(source, source.width, source.height);
}

function draw(source: CanvasImageSource, width: number, height: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return '';
  context.fillStyle = canvasColour();
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return canvas.toDataURL('image/png');
}
