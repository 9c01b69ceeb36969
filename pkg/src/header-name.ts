/** Whether it is a token of RFC 9110, as the names of headers are. */
export const isHeaderName = (text: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(text);
