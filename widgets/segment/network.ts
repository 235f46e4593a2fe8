import type * as Onnx from 'onnxruntime-web';
import { nextTask } from '../shared/task';

/* A worker that runs the network over tiles, with one thread: several threads would need headers that plain hosts lack. */

export interface NetworkStart {
  runtime: ArrayBuffer;
  model: ArrayBuffer;
}

export interface NetworkTile {
  at: number;
  width: number;
  height: number;
  data: Float32Array<ArrayBuffer>;
}

export type NetworkAnswer = { ready: true } | { at: number; data: Float32Array } | { problem: string };

/** What runs the network of a worker, and how. */
export interface NetworkRuntime {
  onnx: Pick<typeof Onnx, 'env' | 'InferenceSession' | 'Tensor'>;
  /** What computes: has `fail` called where what was computed since, and will be, can't be relied on. */
  provider: (fail: (problem: string) => void) => Promise<Onnx.InferenceSession.ExecutionProviderConfig>;
}

/** Serves tiles as they come, one after another. */
export function serveNetwork(
  scope: { onmessage: ((event: MessageEvent<NetworkStart | NetworkTile>) => void) | null; postMessage(message: NetworkAnswer, transfer?: Transferable[]): void },
  { onnx, provider }: NetworkRuntime,
): void {
  let session: Onnx.InferenceSession | null = null;
  let last = Promise.resolve();
  let failed = false;
  const fail = (problem: string) => {
    if (!failed) scope.postMessage({ problem });
    failed = true;
  };
  scope.onmessage = ({ data }) => {
    last = last.then(async () => {
      try {
        if ('model' in data) {
          onnx.env.wasm.numThreads = 1;
          onnx.env.wasm.wasmBinary = data.runtime;
          onnx.env.logLevel = 'error';
          session = await onnx.InferenceSession.create(new Uint8Array(data.model), { executionProviders: [await provider(fail)], graphOptimizationLevel: 'all' });
          scope.postMessage({ ready: true });
        } else if (session) {
          const tile = new onnx.Tensor('float32', data.data, [1, 2, data.height, data.width]);
          const { output } = await session.run({ tile });
          const values = Float32Array.from((output?.data ?? []) as Float32Array);
          output?.dispose();
          // What is said of a tile's work is heard before the tile is given.
          await nextTask();
          if (!failed) scope.postMessage({ at: data.at, data: values }, [values.buffer]);
        }
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error));
      }
    });
  };
}
