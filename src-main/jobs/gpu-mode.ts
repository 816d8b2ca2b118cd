// Whether trainings use WebGPU: as measuring says, or as the environment says.

export type GpuMode = 'off' | 'always' | 'auto';

/** SECATEUR_GPU: 'off' never opens the window that reaches it, 'always' takes it wherever there is any. */
export function gpuMode(): GpuMode {
  const asked = process.env['SECATEUR_GPU'];
  return asked === 'off' || asked === 'always' ? asked : 'auto';
}
