// TensorFlow's ops by name, with their attributes, through tfjs-node.

import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import type { TFEOpAttr } from '@tensorflow/tfjs-node/dist/tfjs_binding';
import type { Tensor } from './primitives';

/** Runs TensorFlow ops by name. */
export class NativeOps {
  readonly float: TFEOpAttr;
  readonly nhwc: TFEOpAttr;

  constructor(private readonly backend: NodeJSKernelBackend) {
    this.float = this.type('T', 'float32');
    this.nhwc = this.string('data_format', 'NHWC');
  }

  run(op: string, attrs: TFEOpAttr[], inputs: Tensor[], outputs: number): Tensor[] {
    return this.backend.executeMultipleOutputs(op, attrs, inputs, outputs);
  }

  run1(op: string, attrs: TFEOpAttr[], inputs: Tensor[]): Tensor {
    return this.run(op, attrs, inputs, 1)[0]!;
  }

  type(name: string, dtype: 'float32' | 'int32'): TFEOpAttr {
    return this.attr(name, 'TF_ATTR_TYPE', this.backend.getDTypeInteger(dtype));
  }

  number(name: string, value: number): TFEOpAttr {
    return this.attr(name, 'TF_ATTR_FLOAT', value);
  }

  integers(name: string, value: number[]): TFEOpAttr {
    return this.attr(name, 'TF_ATTR_INT', value);
  }

  shape(name: string, value: number[]): TFEOpAttr {
    return this.attr(name, 'TF_ATTR_SHAPE', value);
  }

  boolean(name: string, value: boolean): TFEOpAttr {
    return this.attr(name, 'TF_ATTR_BOOL', value);
  }

  string(name: string, value: string): TFEOpAttr {
    return this.attr(name, 'TF_ATTR_STRING', value);
  }

  private attr(
    name: string,
    kind: `TF_ATTR_${'TYPE' | 'FLOAT' | 'INT' | 'SHAPE' | 'BOOL' | 'STRING'}`,
    value: TFEOpAttr['value'],
  ): TFEOpAttr {
    return { name, type: this.backend.binding[kind], value };
  }
}
