// TypeScript's own way to write `require`. Compiled, never run.
import sdk = require("bookmore-sdk");
import slim = require("bookmore-sdk/slim");

same<keyof typeof sdk, keyof typeof slim>();
export const client: sdk.BookMoreClient = new sdk.BookMoreClient();
