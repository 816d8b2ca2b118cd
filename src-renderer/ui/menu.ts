// Entries of menus, as data.
import type { Component } from 'svelte';

export interface MenuEntry {
  readonly label: string;
  readonly icon: Component<{ size?: number | string; 'aria-hidden'?: 'true' }>;
  readonly keys?: readonly string[];
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** Draws a line above. */
  readonly apart?: boolean;
  run(): void;
}
