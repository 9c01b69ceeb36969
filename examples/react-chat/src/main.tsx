import { BookMoreClient, type TokenProvider } from "bookmore-sdk";
import { BookMoreProvider } from "bookmore-sdk/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { Panel } from "./stand-in/panel";
import { logRequest } from "./stand-in/requests";
import { send, start } from "./stand-in/server";
import { session } from "./stand-in/session";
import "./style.css";

const bearerToken: TokenProvider = ({ forceRefresh }) => session.accessToken(forceRefresh);
const client = new BookMoreClient({ baseUrl: "/", bearerToken, onEvent: logRequest });
/** Loaded on demand. */
const why = async () => String(await (await import("bookmore-sdk/diagnose")).diagnose(client));

await start();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <BookMoreProvider client={client}>
      <App send={send} logIn={session.logIn} why={why} />
      <Panel />
    </BookMoreProvider>
  </StrictMode>,
);
