// Design tokens as colours that a canvas understands: light-dark() and var() are resolved by the browser.

/** Resolves a token such as '--accent' where `element` stands. */
export function tokenColour(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
