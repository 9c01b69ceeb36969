/** Whether what is sent to this address can be read on the way. */
export function isInsecure(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !isLoopback(hostname);
}

/** Whether a page that was loaded by https would ask this address by plain http. */
export const isMixedContent = (page: string, address: string): boolean => page.startsWith("https:") && isInsecure(address);

/** Whether a host is this machine: what goes there passes nobody on the way. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
