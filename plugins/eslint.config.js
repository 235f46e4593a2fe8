import theme from '../theme/eslint.config.js';

export default [
  ...theme,
  {
    rules: {
      // The runner waits for its tests by itself.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['describe', 'it'] }] }],
    },
  },
];
