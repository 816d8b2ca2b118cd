// What is asked of every screen: no serious accessibility problem in light and dark, nothing over the window's edge.

import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** What axe holds against the page as it is, in light and in dark. */
export async function expectAccessible(page: Page, screen: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page })
      .setLegacyMode()
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'])
      .analyze();
    const grave = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 160)) }));
    expect(grave, `${screen}, ${colorScheme}`).toEqual([]);
  }
  const wide = await page.evaluate(() => {
    const parts = Array.from(document.querySelectorAll('body, main, header, section'));
    const rights = parts.map((part) => part.getBoundingClientRect().right);
    return Math.max(...rights) - innerWidth;
  });
  expect(wide, `${screen}: wider than the window by`).toBeLessThanOrEqual(0);
}
