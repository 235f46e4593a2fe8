import { createContext, useContext } from 'react';
import type { Page } from './site.js';

/** What a node's renderer may need to know about its page. */
export interface PageContext { base: string; page: Page }

const Context = createContext<PageContext | undefined>(undefined);

export const PageProvider = Context.Provider;

export function usePage(): PageContext {
  const context = useContext(Context);
  if (context === undefined) throw new Error('A node was rendered outside of a page');
  return context;
}
