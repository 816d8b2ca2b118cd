// Short notices at the foot of the window, some with one thing to do about them.

export interface ToastAction {
  readonly label: string;
  run(): void;
}

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'neutral' | 'success' | 'error';
  readonly action: ToastAction | null;
}

const stayMs = 6_000;
/** An action such as Undo must be reachable by keyboard in good time. */
const stayWithActionMs = 12_000;

class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  show(text: string, tone: Toast['tone'] = 'neutral', action: ToastAction | null = null): void {
    const toast: Toast = { id: this.#next++, text, tone, action };
    this.list = [...this.list.slice(-2), toast];
    this.resume(toast);
  }

  dismiss(id: number): void {
    this.pause(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** Keeps a toast while the pointer or the focus is on it. */
  pause(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  resume(toast: Toast): void {
    this.pause(toast.id);
    const stay = toast.action === null ? stayMs : stayWithActionMs;
    this.#timers.set(
      toast.id,
      setTimeout(() => this.dismiss(toast.id), stay),
    );
  }
}

export const toasts = new Toasts();
