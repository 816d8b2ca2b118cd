// Calls of the comparison of versions: curves, gammas, and images on which answers differ.

import type { Handlers } from '../router';
import type { Services } from './services';

type CompareCalls = 'compare.results' | 'compare.gammas' | 'compare.flips' | 'compare.stopFlips';

export function compareHandlers(services: Services): Pick<Handlers, CompareCalls> {
  const { analyst, workspace } = services;

  const fileOf = async (version: string): Promise<string> =>
    (await workspace.project.versionSource(version)).file;

  return {
    'compare.results': async ({ versions }) => {
      const rows = await Promise.all(versions.map((id) => workspace.project.versionRow(id)));
      return rows.map(({ summary, history, evaluations }) => ({
        version: summary.id,
        history,
        evaluations,
      }));
    },

    'compare.gammas': async ({ versions }) =>
      analyst.ask('gammas', { files: await Promise.all(versions.map(fileOf)) }),

    'compare.flips': async ({ a, b, data, ...question }) =>
      analyst.ask(
        'flips',
        {
          ...question,
          a: await fileOf(a),
          b: await fileOf(b),
          data: await workspace.project.datasetSource(data),
        },
        (progress) => services.send('comparing', progress),
      ),

    'compare.stopFlips': () => analyst.ask('stopComparing', {}),
  };
}
