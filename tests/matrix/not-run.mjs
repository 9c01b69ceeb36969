/** A cell that this machine cannot run, so it neither passes nor fails. The message says what is missing. */
export class NotRun extends Error {}
