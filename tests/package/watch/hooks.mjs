// The status that a component of each framework renders on a server with these options.
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { aiChatUsage, setBookMoreClient } from "bookmore-sdk/svelte";
import { BookMoreProvider, useAiChatUsage } from "bookmore-sdk/react";
import { createFakeBookMore } from "bookmore-sdk/testing";
import { provideBookMore, useAiChatUsage as useVueUsage } from "bookmore-sdk/vue";
import { render } from "svelte/server";
import { createSSRApp, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";

const client = createFakeBookMore().client();

export async function react(options) {
  const Usage = () => useAiChatUsage(undefined, options).status;
  return renderToString(createElement(BookMoreProvider, { client }, createElement(Usage)));
}

export async function vue(options) {
  const Inner = { setup: () => (({ state }) => () => state.value.status)(useVueUsage(undefined, options)) };
  const app = createSSRApp({ setup: () => (provideBookMore(client), () => h(Inner)) });
  app.config.warnHandler = () => {};
  app.config.errorHandler = (error) => {
    throw error;
  };
  return renderVue(app);
}

export async function svelte(options) {
  let status;
  await render(() => {
    setBookMoreClient(client);
    ({ status } = aiChatUsage(undefined, options).current);
  });
  return status;
}
