// What comes from outside (dropped, or opened by the system) goes to its wizard; without a project, one is made first.
import type { DropCalls } from '../../src-main/ipc/contract';
import { app } from './app.svelte';
import { navigation } from './navigation.svelte';
import { project } from './project.svelte';

export type Arrival = DropCalls['drop.inspect']['reply'];

/** Takes in a model, a data set or a project. */
export function arrive(arrival: Arrival): void {
  switch (arrival.kind) {
    case 'project':
      project.receive(arrival.state);
      project.showFirst();
      return;
    case 'model':
      app.arrivedModel = arrival.preview;
      break;
    case 'data':
      app.arrivedData = arrival.preview;
      break;
  }
  if (project.state === null) app.dialog = 'new-project';
  else showArrival();
}

/** Opens the wizard of what arrived, if anything did. True when it did. */
export function showArrival(): boolean {
  if (app.arrivedModel) {
    navigation.go({ page: 'wizard', wizard: 'import', version: null, step: 'found' });
  } else if (app.arrivedData) {
    navigation.go({ page: 'wizard', wizard: 'add-data', version: null, step: null });
  } else return false;
  return true;
}
