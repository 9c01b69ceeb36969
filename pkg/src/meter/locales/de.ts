/** The texts of the meter in German. Importing this adds them to all meters. */
import { addMeterStrings, type MeterStrings } from "../strings.js";

export const de: MeterStrings = {
  label: "Nutzung des KI-Assistenten",
  ok: "Im Budget",
  warning: "Nahe am Limit",
  critical: "Fast aufgebraucht",
  over: "Über dem Limit",
  reached: "Limit erreicht",
  outside: "Nicht im Budget",
  loading: "Wird geladen …",
  unknown: "Noch keine Daten",
  used: (used, limit) => `${used} von ${limit} Token`,
  left: (tokens) => `${tokens} übrig`,
  exceeded: (tokens) => `${tokens} über dem Limit`,
  times: (factor) => `das ${factor}-Fache des Limits`,
  window: (days, count) => (count === 1 ? "in den letzten 24 Stunden" : `in den letzten ${days} Tagen`),
  asOf: (time) => `Stand: ${time}`,
  ended: "Sie sind nicht mehr angemeldet.",
  denied: "Sie haben keinen Zugriff auf diese Nutzungsdaten.",
  offline: "Keine Verbindung.",
  busy: "Im Moment zu viele Anfragen.",
  busyUntil: (time) => `Zu viele Anfragen; bitte bis ${time} warten.`,
  quota: "Das Kontingent der API ist aufgebraucht.",
  failed: "Die Nutzungsdaten konnten nicht geladen werden.",
  retry: "Erneut versuchen",
  logIn: "Anmelden",
};

addMeterStrings("de", de);
