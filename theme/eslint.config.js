import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['build', 'public', 'tests/book', 'node_modules', 'eslint.config.js'] },
  tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true } } },
  {
    rules: {
      // Numbers in addresses and class names need no ceremony.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
);
