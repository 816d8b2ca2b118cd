// The real LiteRT in this process: what it gives, what it refuses, and that it leaves no trace.

import { describe, expect, it } from 'vitest';
import { lowerGraph } from '../../../src-main/engine/formats/tflite/lower-graph';
import { serializeProgram } from '../../../src-main/engine/formats/tflite/serialize';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { openLiteRt } from '../../../src-main/engine/measure/litert';
import { loadLiteRtRuntime } from '../../../src-main/engine/measure/litert-loader';

const lent = ['self', 'importScripts', 'navigator', 'Worker', 'ModuleFactory', 'Module'];
const before = lent.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));

/** y = 2 x + 1 of a vector of three, and its negative. */
function file(): Uint8Array {
  const builder = new GraphBuilder('line');
  const x = builder.input('x', [3]);
  const y = builder.apply('rescale', [x], { scale: [2], offset: [1] });
  builder.output(y, 'z-line');
  builder.output(builder.activation(y, 'neg'), 'a-negative');
  return serializeProgram(lowerGraph(builder.build()));
}

describe('LiteRT', () => {
  it('runs a file given as bytes; outputs come in the order of the model, not of their names', async () => {
    const runner = await openLiteRt(file());
    expect(runner.inputShape).toEqual([1, 3]);
    expect(runner.outputShapes).toEqual([
      [1, 3],
      [1, 3],
    ]);
    const outputs = await runner.run(Float32Array.of(1, 2, -3));
    expect(outputs.map((output) => [...output])).toEqual([
      [3, 5, -5],
      [-3, -5, 5],
    ]);
    runner.close();
  });

  it('says what it is, and runs with several threads', async () => {
    const { maxThreads, version } = await loadLiteRtRuntime();
    const runner = await openLiteRt(file(), { threads: maxThreads });
    expect(runner.threads).toBe(maxThreads);
    expect(runner.runtime).toContain(version);
    expect(runner.runtime).toContain('XNNPACK');
    const [output] = await runner.run(Float32Array.of(0, 0.5, 1));
    expect([...output!]).toEqual([1, 2, 3]);
    runner.close();
  });

  it('runs a prepared sample many times', async () => {
    const runner = await openLiteRt(file());
    const sample = runner.prepare(Float32Array.of(1, 2, 3));
    for (let i = 0; i < 3; i++) await sample.invoke();
    sample.close();
    runner.close();
  });

  it('refuses what is no .tflite file, and more threads than there are', async () => {
    await expect(openLiteRt(new Uint8Array(64))).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    await expect(openLiteRt(file(), { threads: 1000 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(openLiteRt(file(), { threads: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('takes back all that it lent to the package', async () => {
    await loadLiteRtRuntime();
    const after = lent.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    expect(after).toEqual(before);
  });
});
