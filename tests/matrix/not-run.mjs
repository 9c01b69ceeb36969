/** A cell that this machine cannot run: it is neither right nor wrong. The message says what is missing. */
export class NotRun extends Error {}
