import { commandTexts } from "./texts/commands";
import { contextsTexts } from "./texts/contexts";
import { decideTexts } from "./texts/decide";
import { frameTexts } from "./texts/frame";
import { makingTexts } from "./texts/making";
import { pagesTexts } from "./texts/pages";
import { pastTexts } from "./texts/past";
import { sessionTexts } from "./texts/session";
import { syncTexts } from "./texts/sync";

/** Every word the window says by itself. A translation is another object of this shape. */
export const texts = {
  ...frameTexts,
  ...sessionTexts,
  ...commandTexts,
  ...syncTexts,
  ...decideTexts,
  ...pastTexts,
  ...makingTexts,
  ...pagesTexts,
  ...contextsTexts,
};
