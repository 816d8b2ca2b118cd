// The open project with its queue, and what the window is told about them. At most one project is open.

import { AppError } from '../engine/errors';
import type { EventName, Events, ProjectState } from '../ipc/contract';
import type { JobEvent } from '../jobs/types';
import { JobQueue } from '../jobs/queue';
import type { WorkerHost } from '../jobs/host';
import { Mutex } from '../project/mutex';
import { Project } from '../project/project';

export type Send = <E extends EventName>(name: E, payload: Events[E]) => void;

interface OpenProject {
  readonly project: Project;
  readonly queue: JobQueue;
}

export class Workspace {
  readonly #host: WorkerHost;
  readonly #send: Send;
  readonly #onActivity: (event: JobEvent) => void;
  #open: OpenProject | null = null;
  /** Opening and closing take turns: a double click must not find its own project locked. */
  readonly #switching = new Mutex();

  constructor(host: WorkerHost, send: Send, onActivity: (event: JobEvent) => void) {
    this.#host = host;
    this.#send = send;
    this.#onActivity = onActivity;
  }

  get project(): Project {
    return this.#current().project;
  }

  get queue(): JobQueue {
    return this.#current().queue;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  get isBusy(): boolean {
    return this.#open?.queue.isBusy ?? false;
  }

  /** Opens a folder in place of the project that is open. The old one stays if the new one cannot be opened. */
  open(folder: string): Promise<ProjectState> {
    return this.#switching.run(async () => {
      if (this.#open?.project.folder === folder) return this.#open.project.state();
      return this.#use(await Project.open(folder));
    });
  }

  create(folder: string, name: string): Promise<ProjectState> {
    return this.#switching.run(async () => this.#use(await Project.create(folder, name)));
  }

  async state(): Promise<ProjectState | null> {
    return this.#open ? this.#open.project.state() : null;
  }

  /** Tells the window everything again after a change. */
  async announce(): Promise<void> {
    this.#send('project', await this.state());
  }

  close(): Promise<void> {
    return this.#switching.run(() => this.#close());
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (!open) return;
    await open.queue.close();
    await open.project.close();
  }

  async #use(project: Project): Promise<ProjectState> {
    await this.#close();
    const queue = new JobQueue(project, this.#host);
    queue.subscribe((event) => {
      this.#send('job', event);
      this.#onActivity(event);
      // Points come many a second, and are no part of the state.
      const isPoint = event.type === 'output' && event.kind === 'sensitivity-point';
      if (event.type === 'state' || (event.type === 'output' && !isPoint)) void this.announce();
    });
    this.#open = { project, queue };
    return project.state();
  }

  #current(): OpenProject {
    if (this.#open) return this.#open;
    throw new AppError(
      'PROJECT_NOT_FOUND',
      'No project is open.',
      'Open or create a project first.',
    );
  }
}
