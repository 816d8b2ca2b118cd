// Where the window is. The URL hash is the truth, so that back, forward and reload work.
import { formatRoute, parseRoute } from './route';
import type { Route } from './route';

class Navigation {
  #hash = $state(window.location.hash);
  readonly route: Route = $derived(parseRoute(this.#hash));

  constructor() {
    window.addEventListener('hashchange', () => {
      this.#hash = window.location.hash;
    });
  }

  /** Goes to a place; `replace` leaves no step back to the present one. */
  go(route: Route, replace = false): void {
    const hash = formatRoute(route);
    if (replace) window.history.replaceState(null, '', hash);
    else window.history.pushState(null, '', hash);
    this.#hash = hash;
  }
}

export const navigation = new Navigation();
