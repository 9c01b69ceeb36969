/** Whether it is a token of RFC 9110, as the names of headers are. */
export const isHeaderName = (text: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(text);

const FORBIDDEN =
  /^(accept-(charset|encoding)|access-control-request-(headers|method|private-network)|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|x-(http-)?method(-override)?|(proxy|sec)-.*)$/i;

/** Whether fetch forbids it (Fetch standard, "forbidden request-header"). */
export const isForbiddenHeader = (name: string): boolean => FORBIDDEN.test(name);
