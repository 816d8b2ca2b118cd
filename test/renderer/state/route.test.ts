import { describe, expect, it } from 'vitest';
import { formatRoute, parseRoute } from '../../../src-renderer/state/route';
import type { Route } from '../../../src-renderer/state/route';

describe('routes', () => {
  const places: readonly Route[] = [
    { page: 'home' },
    { page: 'project' },
    { page: 'compare', tab: 'figures' },
    { page: 'compare', tab: 'images' },
    { page: 'version', version: 'a/b c', tab: 'accuracy' },
    { page: 'dataset', dataset: 'd1' },
    { page: 'job', job: 'j1' },
    { page: 'wizard', wizard: 'import', version: null, step: 'found' },
    { page: 'wizard', wizard: 'import', version: null, step: null },
    { page: 'wizard', wizard: 'prune', version: 'v1', step: 'target' },
    { page: 'wizard', wizard: 'export', version: 'v1', step: null },
  ];

  it.each(places)('go into a hash and come back: %o', (place) => {
    expect(parseRoute(formatRoute(place))).toEqual(place);
  });

  it('shows the layers of a version when the tab is unknown', () => {
    expect(parseRoute('#/version/v1/nonsense')).toEqual({
      page: 'version',
      version: 'v1',
      tab: 'layers',
    });
  });

  it.each(['', '#', '#/nonsense', '#/version', '#/prune'])('is home for %j', (hash) => {
    expect(parseRoute(hash)).toEqual({ page: 'home' });
  });
});
