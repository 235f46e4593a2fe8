/* What TypeScript has no types of. */

interface Adapter {
  readonly info: { readonly isFallbackAdapter: boolean };
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(wanted: { requiredFeatures: string[]; requiredLimits: Record<string, number> }): Promise<Device>;
}

interface Device {
  readonly lost: Promise<{ readonly message: string }>;
  addEventListener(name: 'uncapturederror', listener: (event: { readonly error: { readonly message: string } }) => void): void;
}

/** A driver that answers no sooner counts as none. */
const MOST_MS = 2000;

/** What the runtime uses where a card has it. */
const FEATURES = ['shader-f16', 'subgroups'];
const LIMITS = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
];

let found: Promise<boolean> | null = null;

/** Whether this browser has a graphics card that can run the network. */
export function hasGraphicsCard(): Promise<boolean> {
  return (found ??= lookForCard().catch(() => false));
}

/** The graphics card, with all that the runtime can use of it. */
export async function openCard(): Promise<Device> {
  const adapter = await requestAdapter();
  if (!adapter) throw new Error('there is no graphics card');
  const { features, limits } = adapter;
  return adapter.requestDevice({
    requiredFeatures: FEATURES.filter((feature) => features.has(feature)),
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, limits[limit] ?? 0])),
  });
}

async function lookForCard(): Promise<boolean> {
  // The runtime waits for the card inside of WebAssembly.
  if (!('Suspending' in WebAssembly)) return false;
  const late = new Promise<null>((resolve) => {
    setTimeout(resolve, MOST_MS, null);
  });
  const adapter = await Promise.race([requestAdapter(), late]);
  // WebGPU in software is slower than WebAssembly.
  return adapter !== null && !adapter.info.isFallbackAdapter;
}

async function requestAdapter(): Promise<Adapter | null> {
  const { gpu } = navigator as { gpu?: { requestAdapter(wanted: { powerPreference: 'high-performance' }): Promise<Adapter | null> } };
  return gpu ? gpu.requestAdapter({ powerPreference: 'high-performance' }) : null;
}
