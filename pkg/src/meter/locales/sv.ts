/** The texts of the meter in Swedish. Importing this adds them to all meters. */
import { addMeterStrings, type MeterStrings } from "../strings.js";

export const sv: MeterStrings = {
  label: "Användning av AI-assistenten",
  ok: "Inom budget",
  warning: "Nära gränsen",
  critical: "Nästan slut",
  over: "Över gränsen",
  reached: "Gränsen är nådd",
  outside: "Utanför budget",
  loading: "Laddar …",
  unknown: "Inga siffror än",
  used: (used, limit) => `${used} av ${limit} token`,
  left: (tokens) => `${tokens} kvar`,
  exceeded: (tokens) => `${tokens} över gränsen`,
  times: (factor) => `${factor} gånger gränsen`,
  window: (days, count) => (count === 1 ? "det senaste dygnet" : `de senaste ${days} dagarna`),
  asOf: (time) => `uppdaterat ${time}`,
  ended: "Du är inte längre inloggad.",
  denied: "Du har inte behörighet att se användningen.",
  offline: "Ingen anslutning.",
  busy: "För många förfrågningar just nu.",
  busyUntil: (time) => `För många förfrågningar; vänta till ${time}.`,
  quota: "API-kvoten är slut.",
  failed: "Användningen kunde inte hämtas.",
  retry: "Försök igen",
  logIn: "Logga in",
};

addMeterStrings("sv", sv);
