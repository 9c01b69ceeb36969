/** The texts of the meter in French. Importing this adds them to all meters. */
import { addMeterStrings, type MeterStrings } from "../strings.js";

export const fr: MeterStrings = {
  label: "Utilisation de l’assistant IA",
  ok: "Dans le budget",
  warning: "Proche de la limite",
  critical: "Presque épuisé",
  over: "Limite dépassée",
  reached: "Limite atteinte",
  outside: "Hors budget",
  loading: "Chargement…",
  unknown: "Pas encore de données",
  // In French, counts below 2 are singular, 0 included.
  used: (used, limit, count) => `${used} sur ${limit} ${count < 2 ? "jeton" : "jetons"}`,
  left: (tokens) => `il reste ${tokens}`,
  exceeded: (tokens) => `${tokens} au-delà de la limite`,
  times: (factor) => `${factor} fois la limite`,
  window: (days, count) => (count === 1 ? "au cours des dernières 24 heures" : `au cours des ${days} derniers jours`),
  asOf: (time) => `mis à jour\u00A0: ${time}`,
  ended: "Votre session est terminée.",
  denied: "Vous n’avez pas accès à ces données d’utilisation.",
  offline: "Pas de connexion.",
  busy: "Trop de requêtes pour le moment.",
  busyUntil: (time) => `Trop de requêtes\u00A0; prochaine tentative\u00A0: ${time}.`,
  quota: "Le quota de l’API est épuisé.",
  failed: "Impossible de charger les données d’utilisation.",
  retry: "Réessayer",
  logIn: "Se connecter",
};

addMeterStrings("fr", fr);
