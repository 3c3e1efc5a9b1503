import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  js.configs.recommended,
  {
    files: ["js/**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    rules: {
      // A widget model gives whatever was put in; the reader says what that was.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // Numbers in text are what this code is for.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
    },
  },
  { files: ["js/**/*.mjs"], languageOptions: { globals: { process: "readonly" } } },
);
