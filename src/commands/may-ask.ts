import { isTerminal } from '../ui/prompts.js';

/** A person is there, and may be asked. `--json` promises programs that standard error stays empty. */
export const mayAsk = (json: boolean, noInput: boolean): boolean => !json && !noInput && isTerminal();
