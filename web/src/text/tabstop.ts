/** Whether Tab stops at what is inside: in a list of hundreds of messages only at what is in the one that has the focus. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";

export const TabStop = createContext<0 | -1>(0);
export const useTabStop = (): 0 | -1 => useContext(TabStop);
