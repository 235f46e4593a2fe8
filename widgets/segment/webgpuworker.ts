import * as onnx from 'onnxruntime-web/jspi';
import { openCard } from './adapter';
import { serveNetwork } from './network';

/* The script of the worker that runs the network on a graphics card. */

serveNetwork(self as never, {
  onnx,
  async provider(fail) {
    const device = await openCard();
    void device.lost.then(({ message }) => {
      fail(message);
    });
    // Where memory is refused or a shader is invalid, the runtime gives what was in its buffers.
    device.addEventListener('uncapturederror', ({ error }) => {
      fail(error.message);
    });
    return { name: 'webgpu', device };
  },
});
