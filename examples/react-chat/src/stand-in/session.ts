// Stands in for the app's login.
const GOOD = "good-token"; // the one that the stand-in server accepts
let token = GOOD;

export const session = {
  isOpen: true,
  /** `forceRefresh`: the server has refused the last token. */
  accessToken(forceRefresh: boolean): string {
    if (forceRefresh && session.isOpen) token = GOOD;
    return token;
  },
  async logIn(): Promise<void> {
    session.isOpen = true;
    token = GOOD;
  },
  /** The token expires; the session has another one. */
  expire(): void {
    token = "expired-token";
  },
  /** The session ends, too, so the user must log in. */
  end(): void {
    session.isOpen = false;
    token = "ended-token";
  },
};
