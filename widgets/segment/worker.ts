import * as onnx from 'onnxruntime-web/wasm';
import { serveNetwork } from './network';
import { serveSegmenter } from './segmenter';

/* The script of both kinds of workers: the one of a view, and those that it starts for the network. */

if (self.name === 'network') serveNetwork(self as never, { onnx, provider: () => Promise.resolve('wasm') });
else serveSegmenter(self as never, self.location.href);
