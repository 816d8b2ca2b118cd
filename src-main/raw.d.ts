// Texts that are bundled as they are: `import text from './file?raw'`.
declare module '*?raw' {
  const text: string;
  // The bundler gives such a module one export, the default.
  // eslint-disable-next-line no-restricted-exports
  export default text;
}
