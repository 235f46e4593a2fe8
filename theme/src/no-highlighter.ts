/** Stands in for react-syntax-highlighter, which nothing on a page uses: see `CodeBlock.tsx`. */
export const Light = () => null;
export const LightAsync = Light;
export const Prism = Light;
export const PrismAsyncLight = Light;
export default Light;
