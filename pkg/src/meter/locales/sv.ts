/** The texts of the meter in Swedish. Importing this adds them to all meters. */
import { addMeterStrings, type MeterStrings } from "../strings.js";

export const sv: MeterStrings = {
  label: "AI-assistentens användning",
  ok: "Inom budget",
  warning: "Nära gränsen",
  critical: "Nästan slut",
  over: "Över gränsen",
  reached: "Gränsen är nådd",
  outside: "Inte inom budget",
  loading: "Laddar …",
  unknown: "Inga siffror än",
  used: (used, limit) => `${used} av ${limit} token`,
  left: (tokens) => `${tokens} kvar`,
  exceeded: (tokens) => `${tokens} över gränsen`,
  times: (factor) => `${factor} × gränsen`,
  window: (days, count) => (count === 1 ? "det senaste dygnet" : `de senaste ${days} dagarna`),
  asOf: (time) => `uppdaterat ${time}`,
  ended: "Du är inte längre inloggad.",
  denied: "Du har inte tillgång till användningen.",
  offline: "Ingen anslutning.",
  busy: "För många förfrågningar just nu.",
  busyUntil: (time) => `För många förfrågningar; vänta till ${time}.`,
  quota: "API:ets kvot är slut.",
  failed: "Användningen kunde inte hämtas.",
  retry: "Försök igen",
  logIn: "Logga in",
};

addMeterStrings("sv", sv);
