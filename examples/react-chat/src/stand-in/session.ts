// Stands in for the app's login.
const GOOD = "good-token"; // the one that the stand-in server accepts
let token = GOOD;

export const session = {
  isOpen: true,
  /** `forceRefresh`: the server has refused the last one. */
  accessToken(forceRefresh: boolean): string {
    if (forceRefresh && session.isOpen) token = GOOD;
    return token;
  },
  async logIn(): Promise<void> {
    session.isOpen = true;
    token = GOOD;
  },
  /** The token ends; the session gives another. */
  expire(): void {
    token = "expired-token";
  },
  /** The session ends, too: somebody has to log in. */
  end(): void {
    session.isOpen = false;
    token = "ended-token";
  },
};
