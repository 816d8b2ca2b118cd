// All kernels. An op that is added to `OpAttrs` must be added to a family: the compiler asks.

import type { Op } from '../../../graph/types';
import type { Kernel, KernelTable } from '../types';
import { activationKernels } from './activation';
import { arithmeticKernels } from './arithmetic';
import { arrangeKernels } from './arrange';
import { convKernels } from './conv';
import { normKernels } from './norm';
import { poolingKernels } from './pooling';
import { spatialKernels } from './spatial';

const kernelTable: KernelTable = {
  ...convKernels,
  ...normKernels,
  ...activationKernels,
  ...arithmeticKernels,
  ...arrangeKernels,
  ...poolingKernels,
  ...spatialKernels,
};

/** The kernel of an op. */
export function kernelOf<K extends Op>(op: K): Kernel<K> {
  return kernelTable[op];
}
