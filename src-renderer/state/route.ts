// Places in the window and how the URL hash names them.

export const versionTabs = [
  'layers',
  'sensitivity',
  'training',
  'accuracy',
  'exports',
  'details',
] as const;
export type VersionTab = (typeof versionTabs)[number];

export const compareTabs = [
  'figures',
  'recovery',
  'curves',
  'trajectory',
  'gammas',
  'classes',
  'images',
] as const;
export type CompareTab = (typeof compareTabs)[number];

export const wizardKinds = ['import', 'add-data', 'prune', 'train', 'export'] as const;
export type WizardKind = (typeof wizardKinds)[number];

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'project' }
  | { readonly page: 'version'; readonly version: string; readonly tab: VersionTab }
  | { readonly page: 'dataset'; readonly dataset: string }
  | { readonly page: 'compare'; readonly tab: CompareTab }
  /** Two versions layer by layer. */
  | { readonly page: 'diff'; readonly a: string; readonly b: string }
  | { readonly page: 'job'; readonly job: string }
  | {
      readonly page: 'wizard';
      readonly wizard: WizardKind;
      /** The version it works on, where it works on one. */
      readonly version: string | null;
      /** Null is the first step. */
      readonly step: string | null;
    };

const wizardsOnVersions: readonly WizardKind[] = ['prune', 'train', 'export'];

function isOneOf<T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value);
}

/** The place that a hash names; an unknown hash is home. */
export function parseRoute(hash: string): Route {
  const parts = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decodeURIComponent);
  const [page = '', id = '', rest = ''] = parts;
  if (page === 'project') return { page };
  if (page === 'compare') return { page, tab: isOneOf(compareTabs, id) ? id : 'figures' };
  if (page === 'diff' && id !== '' && rest !== '') return { page, a: id, b: rest };
  if (page === 'version' && id !== '') {
    return { page, version: id, tab: isOneOf(versionTabs, rest) ? rest : 'layers' };
  }
  if (page === 'dataset' && id !== '') return { page, dataset: id };
  if (page === 'job' && id !== '') return { page, job: id };
  if (isOneOf(wizardKinds, page)) {
    const onVersion = wizardsOnVersions.includes(page);
    if (onVersion && id === '') return { page: 'home' };
    const step = onVersion ? rest : id;
    return {
      page: 'wizard',
      wizard: page,
      version: onVersion ? id : null,
      step: step === '' ? null : step,
    };
  }
  return { page: 'home' };
}

/** The hash that names a place. */
export function formatRoute(route: Route): string {
  return `#/${segments(route).map(encodeURIComponent).join('/')}`;
}

function segments(route: Route): readonly string[] {
  switch (route.page) {
    case 'home':
      return [];
    case 'project':
      return [route.page];
    case 'compare':
      return [route.page, route.tab];
    case 'version':
      return [route.page, route.version, route.tab];
    case 'diff':
      return [route.page, route.a, route.b];
    case 'dataset':
      return [route.page, route.dataset];
    case 'job':
      return [route.page, route.job];
    case 'wizard':
      return [route.wizard, route.version, route.step].filter((part) => part !== null);
  }
}
