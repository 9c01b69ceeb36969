/** The texts of the meter in French. Importing this adds them to all meters. */
import { addMeterStrings, type MeterStrings } from "../strings.js";

export const fr: MeterStrings = {
  label: "Utilisation de l’assistant IA",
  ok: "Dans le budget",
  warning: "Proche de la limite",
  critical: "Presque épuisé",
  over: "Au-delà de la limite",
  reached: "Limite atteinte",
  outside: "Hors budget",
  loading: "Chargement…",
  unknown: "Pas encore de chiffres",
  // In French, counts below 2 are singular, 0 included.
  used: (used, limit, count) => `${used} sur ${limit} ${count < 2 ? "jeton" : "jetons"}`,
  left: (tokens) => `reste : ${tokens}`,
  exceeded: (tokens) => `${tokens} au-delà de la limite`,
  times: (factor) => `${factor} × la limite`,
  window: (days, count) => (count < 2 ? "le dernier jour" : `les ${days} derniers jours`),
  asOf: (time) => `mis à jour : ${time}`,
  ended: "Vous n’êtes plus connecté.",
  denied: "Vous n’avez pas accès à cette utilisation.",
  offline: "Pas de connexion.",
  busy: "Trop de demandes pour le moment.",
  busyUntil: (time) => `Trop de demandes ; prochain essai : ${time}.`,
  quota: "Le quota de l’API est épuisé.",
  failed: "L’utilisation n’a pas pu être chargée.",
  retry: "Réessayer",
  logIn: "Se connecter",
};

addMeterStrings("fr", fr);
