import * as ort from 'onnxruntime-web/wasm';

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

/** Serves tiles as they come, one after another. */
export function serveNetwork(scope: { onmessage: ((event: MessageEvent<NetworkStart | NetworkTile>) => void) | null; postMessage(message: NetworkAnswer, transfer?: Transferable[]): void }): void {
  let session: ort.InferenceSession | null = null;
  let last = Promise.resolve();
  scope.onmessage = ({ data }) => {
    last = last.then(async () => {
      try {
        if ('model' in data) {
          ort.env.wasm.numThreads = 1;
          ort.env.wasm.wasmBinary = data.runtime;
          ort.env.logLevel = 'error';
          session = await ort.InferenceSession.create(new Uint8Array(data.model), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
          scope.postMessage({ ready: true });
        } else if (session) {
          const tile = new ort.Tensor('float32', data.data, [1, 2, data.height, data.width]);
          const { output } = await session.run({ tile });
          const values = Float32Array.from((output?.data ?? []) as Float32Array);
          output?.dispose();
          scope.postMessage({ at: data.at, data: values }, [values.buffer]);
        }
      } catch (error) {
        scope.postMessage({ problem: error instanceof Error ? error.message : String(error) });
      }
    });
  };
}
